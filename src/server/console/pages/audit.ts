/** Exports for auditors. */
import type { AuditExport } from "../exports.ts";
import { choiceField, createTyped, field, type Typed } from "../fields.ts";
import { type Html, html, type Part } from "../html.ts";
import { notice, type Page } from "../layout.ts";
import { consoleLimits } from "../limits.ts";
import { count, shown, time } from "../shown.ts";

export const auditPath = "/console/audit";

export function auditPage(parameters: URLSearchParams): Page {
  const body = html`<p>One row an enrollment: who, when, by which event, with which Graph id, and what became of it; dead letters stand
beside. With the file comes a manifest, by which <code>connector-registrar audit --verify &lt;file&gt;</code> makes the rows from the
topics again and says what differs.</p>
${form(createTyped(parameters))}`;
  return { title: "Audit", place: "audit", body };
}

/** What is wrong is said in it. */
export function auditFormPage(typed: Typed): Page {
  return {
    title: "Audit",
    place: "audit",
    body: html`${notice("bad", "Correct what is marked, and try again.")}${form(typed)}`,
  };
}

function form(typed: Typed): Html {
  return html`<form method="post" action="${auditPath}" class="fields" aria-label="Export">
${field(typed, { name: "tenant", label: "Tenant id", hint: "empty: all" })}
${field(typed, { name: "since", label: "Since", hint: "30d, or 2026-01-31 10:00 (UTC)" })}
${field(typed, { name: "until", label: "Until", hint: "the same; this moment is not in it" })}
${choiceField({ name: "format", label: "Format" }, typed.text("format"), [
  ["csv", "CSV (for spreadsheets)"],
  ["jsonl", "JSON lines (for programs)"],
])}
<p><button>Make the export</button></p>
</form>`;
}

export function exportPage(each: AuditExport): Page {
  const path = `${auditPath}/${each.id}`;
  const body = html`<div id="export" data-live>${stateOf(each, path)}</div>
<p><a href="${auditPath}">Another export</a></p>`;
  return { title: "Audit export", place: "audit", body };
}

function stateOf(each: AuditExport, path: string): Part {
  const { filter, counts, sha256, name, atMs, state, why } = each;
  if (state === "making")
    return html`<p>It is being made. A million rows take about a minute. <a href="${path}">Look again</a></p>`;
  if (state === "failed")
    return notice(
      "bad",
      html`It could not be made: ${shown(why, 300)}. Is there room on the disk for temporary files?`,
    );
  return html`<p class="actions"><a class="button" href="${path}/file" download="${name}">Download ${name}</a>
<a href="${path}/manifest" download="${name}.manifest.json">Download its manifest</a></p>
<p class="hint">Keep both together. They are here for ${consoleLimits.exportMs / 60_000} minutes.</p>
<dl class="facts">
<dt>As of</dt><dd>${time(atMs)}</dd>
<dt>Tenants</dt><dd>${filter.tenantIds === null ? "all" : filter.tenantIds.map((tenantId) => shown(tenantId))}</dd>
<dt>Since</dt><dd>${time(filter.sinceMs)}</dd>
<dt>Until</dt><dd>${time(filter.untilMs)}</dd>
<dt>Rows</dt><dd>${counts && html`${count(counts.rows)}: ${count(counts.created)} created, ${count(counts.recovered)} recovered, ${count(counts.refused)} refused, ${count(counts.waiting)} waiting`}</dd>
<dt>SHA-256</dt><dd><code>${sha256}</code></dd>
</dl>`;
}
