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
  /** Ids in lower case. Null: this service has no list of them. */
  readonly served: readonly { readonly tenantId: string; readonly isPaused: boolean }[] | null;
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
  const body = html`<p>${whoIsServed(state)}</p>
<form method="get" action="${tenantsPath}" class="fields" role="search" aria-label="Tenants">
${field(typed, { name: "tenant", label: "Tenant id" })}
<p><button>Show</button> <a href="${tenantsPath}">Clear</a></p></form>
<div id="tenants" data-live>${typed.errors.size === 0 && listOf(rows, all.length, marksOf(state))}</div>
${pager(tenantsPath, parameters, next)}`;
  return { title: "Tenants", place: "tenants", body };
}

function whoIsServed({ served }: TenantsState): Part {
  if (served === null)
    return "This service has no list of tenants: neither TENANTS_FILE nor ALLOWED_TENANTS is set here, so it takes enrollments of all of them in, and the worker decides. Listed are those that have enrollments.";
  return html`${count(served.length)} tenants are served. Enrollments of others are refused as <code>tenant-not-allowed</code>.`;
}

/** Those served and those that have enrollments, by id. */
function tenantsOf({ index, served }: TenantsState): TenantCounts[] {
  const found = new Map((index?.tenantCounts() ?? []).map((counts) => [counts.tenantId, counts]));
  for (const { tenantId } of served ?? [])
    if (!found.has(tenantId)) found.set(tenantId, { tenantId, waiting: 0, registered: 0, refused: 0 });
  return [...found.values()].sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
}

interface Marks {
  /** By id: paused or not. Null: not known here. */
  readonly served: ReadonlyMap<string, boolean> | null;
  readonly blocked: ReadonlySet<string>;
}

function marksOf({ served, workers }: TenantsState): Marks {
  const blocked = workers.flatMap((worker) => worker.blocked ?? []).map(({ tenantId }) => tenantId);
  const byId = served && new Map(served.map(({ tenantId, isPaused }) => [tenantId, isPaused]));
  return { served: byId, blocked: new Set(blocked) };
}

function listOf(rows: readonly TenantCounts[], all: number, marks: Marks): Part {
  if (rows.length === 0) return html`<p>No tenant is found.</p>`;
  return table(
    `Tenants (${count(all)})`,
    ["Tenant", "Served", ...["Waiting", "Registered", "Refused"].map((number) => ({ number }))],
    rows.map((each) => row(each, marks)),
  );
}

function row({ tenantId, waiting, registered, refused }: TenantCounts, { served, blocked }: Marks): Html {
  const link = (state: string, number: number) =>
    html`<td class="number">${number === 0 ? "0" : html`<a href="/console/enrollments?tenant=${inAddress(tenantId)}&amp;state=${state}" aria-label="${count(number)} ${state}">${count(number)}</a>`}</td>`;
  return html`<tr><td class="id">${shown(tenantId)}</td>
<td>${standing(tenantId, served)}${blocked.has(tenantId) && html` <span class="state bad-text">blocked</span>`}</td>
${link("waiting", waiting)}${link("registered", registered)}${link("refused", refused)}</tr>`;
}

function standing(tenantId: string, served: Marks["served"]): Part {
  if (served === null) return "not known here";
  const isPaused = served.get(tenantId);
  if (isPaused === undefined) return html`<span class="warn-text">no</span>`;
  return isPaused ? html`<span class="warn-text">paused</span>` : "yes";
}
