/** Replays: the dry run, its confirmation, and its result. */
import { type Html, html, type Part } from "../html.ts";
import { notice, type Page, table } from "../layout.ts";
import { consoleLimits } from "../limits.ts";
import type { ReplayRun } from "../replay-runs.ts";
import { count, letters, shown, time } from "../shown.ts";

export function replayPath(id: string): string {
  return `/console/replays/${id}`;
}

export function replaysPage(runs: readonly ReplayRun[]): Page {
  const rows = runs.map(
    (
      run,
    ) => html`<tr><td><a href="${replayPath(run.id)}">${time(run.sinceMs)}</a></td><td>${words[run.state]}</td>
<td>${shown(run.by)}</td><td class="number">${count(run.state === "sent" || run.state === "sending" ? run.sent : run.chosen)}</td></tr>`,
  );
  const body = html`<div id="replays" data-live>${rows.length === 0 ? html`<p>There was none since the service was started.</p>` : table("Replays since the service was started, the latest first", ["Since", "State", "By", { number: "Dead letters" }], rows)}</div>
<p><a href="/console/letters">Dead letters</a></p>`;
  return { title: "Replays", place: "letters", body };
}

const words = {
  looking: "dry run under way",
  shown: "dry run, not confirmed",
  sending: "under way",
  sent: "done",
  failed: "failed",
} as const;

export function replayPage(run: ReplayRun): Page {
  const title = run.state === "looking" || run.state === "shown" ? "Replay: dry run" : "Replay";
  const body = html`<div id="replay" data-live>${now(run)}${run.selection !== null && details(run)}</div>
<p><a href="/console/letters">Dead letters</a> · <a href="/console/replays">Replays</a></p>`;
  return { title, place: "letters", body };
}

function now(run: ReplayRun): Part {
  switch (run.state) {
    case "looking":
      return html`<p>The topics are being read. <a href="${replayPath(run.id)}">Look again</a></p>`;
    case "shown":
      return confirmation(run);
    case "sending":
      return html`<p>${count(run.sent)} of ${letters(run.chosen)} went back into the input; at most ${consoleLimits.replaysPerSecond} go each second. <a href="${replayPath(run.id)}">Look again</a></p>`;
    case "sent":
      return notice(
        "good",
        html`${letters(run.sent)} went back into the input. What is refused again comes back to the dead letters; the others are registered.`,
      );
    case "failed":
      return notice(
        "bad",
        html`The replay ended before its end: ${shown(run.why, 500)} ${letters(run.sent)} went back for certain. Begin a new one: what was put back already is ignored as a duplicate, or refused again.`,
      );
  }
}

function confirmation(run: ReplayRun): Part {
  if (run.chosen === 0) return html`<p>Nothing of it would be replayed.</p>`;
  if (run.isStale)
    return notice(
      "warn",
      "This dry run is too old to be confirmed. Go back to the dead letters and begin a new one.",
    );
  return html`<p>${letters(run.chosen)} would go back into the input, and through the worker again. Nothing was put back yet.
Have you removed the cause of their refusal? Otherwise they are refused again.</p>
<form method="post" action="${replayPath(run.id)}/confirm" class="actions"><button>Replay ${count(run.chosen)} now</button> <a href="/console/letters">Do not replay</a></form>`;
}

function details({ selection, byCode, listed, chosen, filter }: ReplayRun): Html {
  const { matched, superseded, registered, unserved, unreadable, deadLetters } = selection!;
  return html`<h2>What was found</h2>
<dl class="facts">
<dt>Dead letters in the topic</dt><dd>${count(deadLetters)}</dd>
<dt>Of these chosen</dt><dd>${count(matched)}</dd>
<dt>Left out: replayed before</dt><dd>${count(superseded)}</dd>
<dt>Left out: registered since</dt><dd>${count(registered)}</dd>
<dt>Left out: their tenants are not served</dt><dd>${count([...unserved.values()].reduce((sum, each) => sum + each, 0))}</dd>
<dt>Without a readable reason</dt><dd>${count(unreadable)}</dd>
<dt>Also those replayed or registered</dt><dd>${filter.again ? "yes" : "no"}</dd>
</dl>
${unserved.size > 0 && tenantsNotServed(unserved)}
${
  byCode.size > 0 &&
  table(
    "By code",
    ["Code", { number: "Dead letters" }],
    [...byCode].map(
      ([code, number]) => html`<tr><td>${shown(code)}</td><td class="number">${count(number)}</td></tr>`,
    ),
  )
}
${
  listed.length > 0 &&
  table(
    chosen > listed.length ? `The first ${listed.length} of ${count(chosen)}` : "One by one",
    ["Dead letter", "Code", { number: "To partition" }],
    listed.map(
      ({ id, code, partition }) =>
        html`<tr><td class="id">${shown(id)}</td><td>${shown(code)}</td><td class="number">${partition}</td></tr>`,
    ),
  )
}`;
}

const tenantsListed = 20;

function tenantsNotServed(unserved: ReadonlyMap<string, number>): Html {
  const first = [...unserved].slice(0, tenantsListed);
  const more = unserved.size - first.length;
  return html`<p>These tenants are not served, so their dead letters would be refused again. Add them to TENANTS_FILE or ALLOWED_TENANTS of the workers and of this service, then begin a new replay.</p>
${table(
  more > 0 ? `The first ${first.length} of ${count(unserved.size)} tenants` : "Tenants that are not served",
  ["Tenant", { number: "Dead letters" }],
  first.map(
    ([tenantId, number]) =>
      html`<tr><td class="id">${shown(tenantId)}</td><td class="number">${count(number)}</td></tr>`,
  ),
)}`;
}
