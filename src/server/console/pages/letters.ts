/** The dead letters: by code, one by one, and the way to their replay. */
import type { Enrollment, EnrollmentIndex, IndexCounts } from "../../../index/enrollment-index.ts";
import { createTyped, field, pager, type Typed } from "../fields.ts";
import { type Html, html, inAddress, type Part } from "../html.ts";
import { type Page, table } from "../layout.ts";
import { consoleLimits } from "../limits.ts";
import { count, shown, time } from "../shown.ts";
import { enrollmentPath } from "./enrollments.ts";

const lettersPath = "/console/letters";

export function lettersPage(index: EnrollmentIndex | null, parameters: URLSearchParams): Page {
  const typed = createTyped(parameters);
  const tenant = typed.tenant("tenant");
  const code = typed.text("code");
  const body =
    index === null
      ? html`<p class="hint">Nothing can be shown until the index is open.</p>`
      : html`<div id="codes" data-live>${codes(index.counts())}</div>
<h2>One by one</h2>
${filterForm(typed)}
${typed.errors.size > 0 ? html`<p class="error" role="alert">Correct what is marked above.</p>` : list(index, { code, tenant }, parameters)}
<h2>Replay by reason and time</h2>
${replayForm(typed)}
<p><a href="/console/replays">Replays of the last hours</a></p>`;
  return { title: "Dead letters", place: "letters", body };
}

function codes({ deadLetters }: IndexCounts): Html {
  if (deadLetters.length === 0) return html`<p class="good-text">There are none.</p>`;
  const rows = deadLetters.map(
    ({
      code,
      total,
      open,
    }) => html`<tr><td><a href="${lettersPath}?code=${inAddress(code)}">${shown(code)}</a></td>
<td class="number">${count(open)}</td><td class="number">${count(total)}</td></tr>`,
  );
  return table(
    "By code: open ones were neither replayed nor registered since",
    ["Code", { number: "Open" }, { number: "All" }],
    rows,
  );
}

function filterForm(typed: Typed): Html {
  return html`<form method="get" action="${lettersPath}" class="fields" role="search" aria-label="Dead letters">
${field(typed, { name: "code", label: "Code" })}
${field(typed, { name: "tenant", label: "Tenant id" })}
<p><button>Show</button> <a href="${lettersPath}">Clear</a></p>
</form>`;
}

interface Chosen {
  /** "": any. */
  readonly code: string;
  readonly tenant: string | null;
}

function list(index: EnrollmentIndex, { code, tenant }: Chosen, parameters: URLSearchParams): Part {
  const { rows, next } = index.search({
    ...(code === "" ? {} : { code }),
    ...(tenant === null ? {} : { tenantIds: [tenant] }),
    state: "refused",
    limit: consoleLimits.pageRows,
    after: parameters.get("after"),
  });
  if (rows.length === 0)
    return html`<p>No enrollment is refused at present${code !== "" && " with this code"}.</p>`;
  const choose = html`<span class="hint">Replay</span>`;
  const heads = [choose, "Refused", "Code", "Why", "Machine", "Tenant"];
  return html`<form method="post" action="/console/replays">
<p><label class="check" hidden><input type="checkbox" data-checks-all> All on this page</label></p>
${table("Refused enrollments, the latest first", heads, rows.flatMap(row))}
<p class="actions"><button>Replay what is marked…</button> <span class="hint">First a dry run is shown; nothing is put back before you confirm it.</span></p>
</form>
${pager(lettersPath, parameters, next)}`;
}

function row({ id, refused, machineName, tenantId }: Enrollment): Html[] {
  if (refused === null) return [];
  const { replayed } = refused;
  const box = replayed
    ? html`<span class="hint">replayed</span>`
    : html`<input type="checkbox" name="id" value="${refused.id}" aria-label="Replay ${refused.id}">`;
  return [
    html`<tr><td>${box}</td><td>${time(refused.atMs)}</td><td>${shown(refused.code)}</td>
<td>${shown(refused.message, 200)}</td>
<td><a href="${enrollmentPath(id)}">${machineName === null ? html`(no enrollment can be read)` : shown(machineName)}</a></td>
<td class="id">${shown(tenantId)}</td></tr>`,
  ];
}

function replayForm(typed: Typed): Html {
  return html`<form method="post" action="/console/replays" class="fields" aria-label="Replay">
<input type="hidden" name="by" value="reason">
<p><label for="replay-code">Code</label><input id="replay-code" name="code" value="${typed.text("code")}" autocomplete="off" aria-describedby="replay-code-hint">
<span class="hint" id="replay-code-hint">empty: any</span></p>
<p><label for="replay-tenant">Tenant id</label><input id="replay-tenant" name="tenant" value="${typed.text("tenant")}" autocomplete="off" aria-describedby="replay-tenant-hint">
<span class="hint" id="replay-tenant-hint">empty: all</span></p>
<p><label for="replay-since">Refused since</label><input id="replay-since" name="since" autocomplete="off" aria-describedby="replay-since-hint">
<span class="hint" id="replay-since-hint">2h, 7d, or 2026-01-31 10:00 (UTC)</span></p>
<p><label for="replay-until">Refused before</label><input id="replay-until" name="until" autocomplete="off" aria-describedby="replay-until-hint">
<span class="hint" id="replay-until-hint">the same</span></p>
<p><label class="check"><input type="checkbox" name="again" value="yes"> Also what was replayed already or is registered</label></p>
<p><button>Show what would be replayed…</button></p>
</form>`;
}
