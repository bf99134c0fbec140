/** The search for enrollments. */
import type { Enrollment, EnrollmentIndex, EnrollmentState } from "../../../index/enrollment-index.ts";
import { type Criteria, choiceField, createTyped, field, pager, type Typed } from "../fields.ts";
import { type Html, html, inAddress, type Part } from "../html.ts";
import { type Page, table } from "../layout.ts";
import { consoleLimits } from "../limits.ts";
import { shown, time } from "../shown.ts";

const states = ["waiting", "registered", "refused"] as const satisfies readonly EnrollmentState[];

const enrollmentsPath = "/console/enrollments";

export function enrollmentPath(id: string): string {
  return `/console/enrollment?id=${inAddress(id)}`;
}

export function enrollmentsPage(
  index: EnrollmentIndex | null,
  parameters: URLSearchParams,
  nowMs: number,
): Page {
  const { typed, criteria } = criteriaOf(parameters, nowMs);
  const body = html`${form(typed)}
<div id="found" data-live>${found(index, criteria, parameters)}</div>`;
  return { title: "Enrollments", place: "enrollments", body };
}

function form(typed: Typed): Html {
  const choices = [["", "all"], ...states.map((state) => [state, state] as const)] as const;
  return html`<form method="get" action="${enrollmentsPath}" class="fields" role="search" aria-label="Enrollments">
${field(typed, { name: "tenant", label: "Tenant id" })}
${field(typed, { name: "machine", label: "Machine name", hint: "whole, upper or lower case" })}
${field(typed, { name: "connector", label: "Connector name", hint: "whole" })}
${field(typed, { name: "graph", label: "Graph id" })}
${field(typed, { name: "key", label: "Idempotency key" })}
${field(typed, { name: "event", label: "Event id" })}
${field(typed, { name: "code", label: "Code of its dead letter" })}
${choiceField({ name: "state", label: "State" }, typed.text("state"), choices)}
${field(typed, { name: "since", label: "Since", hint: "2h, 7d, or 2026-01-31 10:00 (UTC)" })}
${field(typed, { name: "until", label: "Until", hint: "the same" })}
<p><button>Search</button> <a href="${enrollmentsPath}">Clear</a></p>
</form>`;
}

/** Null criteria: something of it can't be read. */
function criteriaOf(
  parameters: URLSearchParams,
  nowMs: number,
): { readonly typed: Typed; readonly criteria: Criteria | null } {
  const typed = createTyped(parameters);
  const tenant = typed.tenant("tenant");
  const key = typed.guid("key");
  const sinceMs = typed.timeMs("since", nowMs);
  const untilMs = typed.timeMs("until", nowMs);
  const state = states.find((each) => each === typed.text("state"));
  const texts = { machineName: "machine", connectorName: "connector", graphId: "graph" } as const;
  const more = { ...texts, eventId: "event", code: "code" } as const;
  const named = Object.entries(more).filter(([, name]) => typed.text(name) !== "");
  const criteria: Criteria = {
    ...Object.fromEntries(named.map(([member, name]) => [member, typed.text(name)])),
    ...(tenant === null ? {} : { tenantIds: [tenant] }),
    ...(key === null ? {} : { key }),
    ...(sinceMs === null ? {} : { sinceMs }),
    ...(untilMs === null ? {} : { untilMs }),
    ...(state === undefined ? {} : { state }),
  };
  return { typed, criteria: typed.errors.size > 0 ? null : criteria };
}

function found(index: EnrollmentIndex | null, criteria: Criteria | null, parameters: URLSearchParams): Part {
  if (index === null) return html`<p class="hint">Nothing can be searched until the index is open.</p>`;
  if (criteria === null)
    return html`<p class="error" role="alert">Correct what is marked above, and search again.</p>`;
  const after = parameters.get("after");
  const { rows, next } = index.search({ ...criteria, limit: consoleLimits.pageRows, after });
  if (rows.length === 0)
    return html`<p>${after === null ? "No enrollment is found." : "There are no more."}</p>`;
  return html`${table("Enrollments, the latest first", ["When", "State", "Machine", "Connector", "Tenant", "Graph id, or why not"], rows.map(row))}
${pager(enrollmentsPath, parameters, next)}`;
}

function row(each: Enrollment): Html {
  const name = each.machineName === null ? html`(no enrollment can be read)` : shown(each.machineName);
  return html`<tr><td>${time(each.atMs)}</td><td>${stateText(each.state)}</td>
<td><a href="${enrollmentPath(each.id)}">${name}</a></td><td>${shown(each.connectorName)}</td>
<td class="id">${shown(each.tenantId)}</td><td class="id">${outcome(each)}</td></tr>`;
}

function outcome({ state, registered, refused }: Enrollment): Html {
  if (registered !== null) return shown(registered.graphId);
  return state === "refused" && refused !== null ? shown(refused.code) : shown(null);
}

export function stateText(state: EnrollmentState): Html {
  return html`<span class="state ${state}">${state}</span>`;
}
