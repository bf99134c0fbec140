/** The tenants: who is served, and how many enrollments each has. */
import type { EnrollmentIndex, TenantCounts } from "../../../index/enrollment-index.ts";
import { createTyped, field, pager } from "../fields.ts";
import { type Html, html, inAddress, type Part } from "../html.ts";
import { type Page, table } from "../layout.ts";
import { consoleLimits } from "../limits.ts";
import { count, shown } from "../shown.ts";
import type { WorkerState } from "../workers.ts";

const tenantsPath = "/console/tenants";

export interface TenantsState {
  readonly index: EnrollmentIndex | null;
  /** Lower case. Null: this service has no list of them. */
  readonly served: readonly string[] | null;
  readonly isServed: (tenantId: string) => boolean;
  readonly workers: readonly WorkerState[];
}

export function tenantsPage(state: TenantsState, parameters: URLSearchParams): Page {
  const typed = createTyped(parameters);
  const wanted = typed.tenant("tenant");
  const all = tenantsOf(state).filter(({ tenantId }) => wanted === null || tenantId === wanted);
  const from = parameters.get("after") ?? "";
  const rest = all.filter(({ tenantId }) => tenantId > from);
  const rows = rest.slice(0, consoleLimits.pageTenants);
  const next = rest.length > rows.length ? rows.at(-1)!.tenantId : null;
  const blocked = new Set(
    state.workers.flatMap((worker) => worker.blocked ?? []).map(({ tenantId }) => tenantId),
  );
  const body = html`<p>${whoIsServed(state)}</p>
<form method="get" action="${tenantsPath}" class="fields" role="search" aria-label="Tenants">
${field(typed, { name: "tenant", label: "Tenant id" })}
<p><button>Show</button> <a href="${tenantsPath}">Clear</a></p></form>
<div id="tenants" data-live>${typed.errors.size === 0 && listOf(rows, all.length, { ...state, blocked })}</div>
${pager(tenantsPath, parameters, next)}`;
  return { title: "Tenants", place: "tenants", body };
}

function whoIsServed({ served }: TenantsState): Part {
  if (served === null)
    return "This service has no list of tenants: ALLOWED_TENANTS is not set here, so it takes enrollments of all of them in, and the worker decides. Listed are those that have enrollments.";
  return html`${count(served.length)} tenants are served. Enrollments of others are refused as <code>tenant-not-allowed</code>.`;
}

/** Those served and those that have enrollments, by id. */
function tenantsOf({ index, served }: TenantsState): TenantCounts[] {
  const found = new Map((index?.tenantCounts() ?? []).map((counts) => [counts.tenantId, counts]));
  for (const tenantId of served ?? [])
    if (!found.has(tenantId)) found.set(tenantId, { tenantId, waiting: 0, registered: 0, refused: 0 });
  return [...found.values()].sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
}

interface Marks extends TenantsState {
  readonly blocked: ReadonlySet<string>;
}

function listOf(rows: readonly TenantCounts[], all: number, marks: Marks): Part {
  if (rows.length === 0) return html`<p>No tenant is found.</p>`;
  return table(
    `Tenants (${count(all)})`,
    ["Tenant", "Served", ...["Waiting", "Registered", "Refused"].map((number) => ({ number }))],
    rows.map((each) => row(each, marks)),
  );
}

function row(
  { tenantId, waiting, registered, refused }: TenantCounts,
  { served, isServed, blocked }: Marks,
): Html {
  const link = (state: string, number: number) =>
    html`<td class="number">${number === 0 ? "0" : html`<a href="/console/enrollments?tenant=${inAddress(tenantId)}&amp;state=${state}" aria-label="${count(number)} ${state}">${count(number)}</a>`}</td>`;
  const isKnown = served !== null;
  return html`<tr><td class="id">${shown(tenantId)}</td>
<td>${isKnown ? (isServed(tenantId) ? "yes" : html`<span class="warn-text">no</span>`) : "not known here"}${blocked.has(tenantId) && html` <span class="state bad-text">blocked</span>`}</td>
${link("waiting", waiting)}${link("registered", registered)}${link("refused", refused)}</tr>`;
}
