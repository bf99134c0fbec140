/** The overview: figures, what needs attention, workers, the last hour. */
import type { EnrollmentIndex, IndexCounts, Minute } from "../../../index/enrollment-index.ts";
import { chart } from "../chart.ts";
import { type Html, html, inAddress, type Part } from "../html.ts";
import { notice, type Page, table } from "../layout.ts";
import { ago, count, shown } from "../shown.ts";
import type { WorkerState } from "../workers.ts";

export interface OverviewState {
  readonly index: EnrollmentIndex | null;
  readonly workers: readonly WorkerState[];
  /** Nothing says where workers are. */
  readonly isBlind: boolean;
  readonly nowMs: number;
}

const hour = 60;
/** Whole minutes that the rate is the mean of. */
const rateMinutes = 5;

export function overviewPage({ index, workers, isBlind, nowMs }: OverviewState): Page {
  const counts = index?.counts() ?? null;
  const minutes = index?.minutes(hour) ?? [];
  const body = html`<div id="overview" data-live>
${tiles(counts, minutes, workers)}
<h2>Needs attention</h2>
${attention(counts, workers, isBlind)}
${blockedSection(workers, isBlind, nowMs)}
<h2>Workers</h2>
${isBlind ? blindness : workersTable(workers)}
<h2>The last hour</h2>
${index === null ? html`<p class="hint">Unknown until the index is open.</p>` : charts(minutes)}
</div>`;
  return { title: "Overview", place: "overview", body };
}

function tiles(
  counts: IndexCounts | null,
  minutes: readonly Minute[],
  workers: readonly WorkerState[],
): Html {
  const lag = sumOf(workers, ({ lagRecords }) => lagRecords);
  const open = counts?.deadLetters.reduce((sum, each) => sum + each.open, 0) ?? null;
  const items: readonly (readonly [string, string, Part])[] = [
    ["Registered a minute", rateOf(minutes), `mean of the last ${rateMinutes} whole minutes`],
    ["Waiting", numberOf(counts?.waiting), "enrollments without an outcome"],
    [
      "Lag",
      lag === null ? "unknown" : count(lag),
      lag === null ? "no worker tells it" : "records that workers have not settled",
    ],
    ["Registered", numberOf(counts?.registered), "enrollments in all"],
    ["Dead letters", numberOf(open), "neither replayed nor registered since"],
  ];
  return html`<dl class="tiles">${items.map(([name, value, hint]) => html`<div><dt>${name}</dt><dd>${value}<small>${hint}</small></dd></div>`)}</dl>`;
}

function numberOf(value: number | null | undefined): string {
  return value === null || value === undefined ? "unknown" : count(value);
}

/** The present minute is not over yet. */
function rateOf(minutes: readonly Minute[]): string {
  const whole = minutes.slice(-1 - rateMinutes, -1);
  if (whole.length === 0) return "unknown";
  const rate = whole.reduce((sum, { registered }) => sum + registered, 0) / whole.length;
  return rate >= 10 || rate === 0 ? count(Math.round(rate)) : rate.toFixed(1);
}

/** Null: none of them tells it. */
function sumOf(
  workers: readonly WorkerState[],
  of: (figures: NonNullable<WorkerState["figures"]>) => number,
): number | null {
  const told = workers.flatMap(({ figures }) => (figures === null ? [] : [of(figures)]));
  return told.length === 0 ? null : told.reduce((sum, each) => sum + each, 0);
}

function attention(counts: IndexCounts | null, workers: readonly WorkerState[], isBlind: boolean): Part {
  const lines: Html[] = [];
  for (const { name, trouble, notReady } of workers) {
    if (trouble !== null)
      lines.push(
        notice(
          "bad",
          html`Worker ${shown(name)} does not answer: ${shown(trouble, 300)}. It may run all the same: look at its log, and whether its HTTP_PORT can be reached from here.`,
        ),
      );
    for (const line of notReady)
      lines.push(notice("bad", html`Worker ${shown(name)}: ${shown(line, 500)}${adviceFor(line)}`));
  }
  const open = counts?.deadLetters.filter((each) => each.open > 0) ?? [];
  if (open.length > 0) {
    const codes = open
      .slice(0, 5)
      .map(
        ({ code, open: letters }, at) =>
          html`${at > 0 && ", "}<a href="/console/letters?code=${inAddress(code)}">${shown(code)}</a> ${count(letters)}`,
      );
    lines.push(
      notice(
        "warn",
        html`Dead letters that are still open: ${codes}${open.length > 5 && " and others"}. Remove the cause of each, then replay them.`,
      ),
    );
  }
  if (lines.length > 0) return lines;
  if (counts === null || isBlind) return html`<p>Nothing, as far as is known here.</p>`;
  return html`<p class="good-text">Nothing.</p>`;
}

function adviceFor(line: string): Part {
  if (line.startsWith("graph:"))
    return ". Nothing is lost: records wait, and the worker asks again by itself. If it lasts, look at Graph's service health and at the worker's log.";
  if (line.startsWith("log:"))
    return ". Nothing is lost: the worker continues by itself once the brokers answer.";
  return ".";
}

const blindness = html`${notice("warn", "Nothing is known of the workers here: whether they run, their lag, the circuit breaker, blocked tenants.")}
<p>Type <code>export SERVE_WORKERS=http://&lt;host&gt;:&lt;port&gt;,...</code>, with the HTTP_PORT of each worker, and start the service again; or run
<code>connector-registrar start --serve</code>, which is worker and console in one process.</p>`;

function workersTable(workers: readonly WorkerState[]): Html {
  const numbers = ["Partitions", "Lag", "Waiting", "Parked", "In flight"].map((number) => ({ number }));
  return table(
    "Workers, as they say of themselves",
    ["Worker", "State", "Breaker", ...numbers],
    workers.map(workerRow),
  );
}

function workerRow({ name, trouble, ready, figures }: WorkerState): Html {
  const state =
    trouble !== null
      ? html`<span class="state bad-text">no answer</span>`
      : ready
        ? html`<span class="state good-text">ready</span>`
        : html`<span class="state warn-text">not ready</span>`;
  const values = figures && [
    figures.partitions,
    figures.lagRecords,
    figures.waiting,
    figures.parked,
    figures.inFlight,
  ];
  return html`<tr><td>${shown(name)}</td><td>${state}</td><td>${figures?.breaker ?? "unknown"}</td>
${values === null ? html`<td colspan="5">unknown</td>` : values.map((value) => html`<td class="number">${count(value)}</td>`)}</tr>`;
}

function blockedSection(workers: readonly WorkerState[], isBlind: boolean, nowMs: number): Part {
  if (isBlind) return null;
  const told = workers.flatMap(({ blocked }) => blocked ?? []);
  const untold = workers.filter(
    ({ blocked, trouble, figures }) => trouble === null && blocked === null && figures?.blockedTenants !== 0,
  );
  return html`<h2>Blocked tenants</h2>
${told.length === 0 ? html`<p>${workers.some(({ blocked }) => blocked !== null) ? "No worker reports one." : "Unknown."}</p>` : blockedTable(told, nowMs)}
${untold.length > 0 && notice("warn", html`${untold.map(({ name, figures }, at) => html`${at > 0 && ", "}${shown(name)}${figures && ` (${count(figures.blockedTenants)} blocked)`}`)} does not say which: its version may be an older one.`)}`;
}

function blockedTable(blocked: readonly NonNullable<WorkerState["blocked"]>[number][], nowMs: number): Html {
  const rows = blocked.map(
    ({
      tenantId,
      detail,
      sinceMs,
    }) => html`<tr><td class="id"><a href="/console/enrollments?tenant=${inAddress(tenantId)}&amp;state=waiting">${shown(tenantId)}</a></td>
<td>${shown(detail, 600)}</td><td>${ago(sinceMs, nowMs)}</td>
<td>${adviceForBlocked(detail)}</td></tr>`,
  );
  return table(
    "Tenants whose Graph refuses the worker",
    ["Tenant", "Graph's words", "For", "What to do"],
    rows,
  );
}

function adviceForBlocked(detail: string): string {
  const rest = "The worker asks again by itself, at most every five minutes; the tenant's records wait.";
  if (/licen[cs]e/i.test(detail)) return `Give the tenant the Intune licence. ${rest}`;
  return `Give the app consent and the permission DeviceManagementConfiguration.ReadWrite.All in this tenant (doctor checks it), or the licence if that is missing. ${rest}`;
}

function charts(minutes: readonly Minute[]): Html {
  return html`${chart({ id: "outcomes", title: "Outcomes" }, minutes, [
    { name: "registered", className: "bar-registered", of: ({ registered }) => registered },
    { name: "refused", className: "bar-refused", of: ({ refused }) => refused },
  ])}
${chart({ id: "events", title: "Events that came" }, minutes, [{ name: "events", className: "bar-events", of: ({ events }) => events }])}`;
}
