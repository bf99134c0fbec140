/** A run's history for people, one line for each entry. */
import type { Identifying } from "../../src/domain/same-enrollment.ts";
import { attemptedThrough } from "./check-graph.ts";
import type { Entry } from "./history.ts";
import { placeOf } from "./origins.ts";
import type { ProcessSettings } from "./process-settings.ts";
import type { SeedReport } from "./run-seed.ts";

export function traceLines(report: SeedReport): string[] {
  const shorten = idShortener();
  const { plan } = report;
  const head = [
    `seed ${report.seed}: ${plan.startsMs.length} workers, ${plan.partitionCount} partitions, Graph ${plan.idMode} ids, faults until ${plan.activeMs} ms${plan.isParking ? ", parking" : ""}`,
    `normal form ${JSON.stringify(plan.normalForm)}, defect ${JSON.stringify(plan.defect)}`,
    ...plan.settings.map((settings) => `settings ${JSON.stringify(settings)}`),
    `log ${JSON.stringify(nonZero(plan.logFaultRates))}`,
    `graph ${JSON.stringify(nonZero(plan.graphFaultRates))}`,
  ];
  const settingsNumber = ({ windowRecords, requestTimeoutMs, sessionTimeoutMs, settleMs }: ProcessSettings) =>
    plan.settings.findIndex(
      (one) =>
        one.windowRecords === windowRecords &&
        one.requestTimeoutMs === requestTimeoutMs &&
        one.sessionTimeoutMs === sessionTimeoutMs &&
        one.settleMs === settleMs,
    );
  const lines = report.entries.map((entry) => {
    const by = "by" in entry ? entry.by : "";
    return `${entry.tMs.toFixed(1).padStart(10)}  ${by.padEnd(9)} ${shorten(describe(entry, settingsNumber))}`;
  });
  return [...head, ...lines];
}

function nonZero(faultRates: object): object {
  return Object.fromEntries(Object.entries(faultRates).filter(([, value]) => value !== 0));
}

function describe(entry: Entry, settingsNumber: (settings: ProcessSettings) => number): string {
  switch (entry.kind) {
    case "stored":
      return `stored ${placeOf(entry.record)} ${gist(entry.record.value)}`;
    case "truncated":
      return `retention: ${entry.topic}/${entry.partition} now starts at ${entry.start}`;
    case "commit": {
      const watermark = attemptedThrough(entry.metadata);
      return `committed ${entry.topic}/${entry.partition}@${entry.offset}, attempted through ${watermark ?? "?"}`;
    }
    case "log-lost":
      return entry.partition === null
        ? `LOST ${entry.topic}: the topic was made again`
        : `LOST ${entry.topic}/${entry.partition} from ${entry.end} on`;
    case "start":
      return `STARTS with settings ${settingsNumber(entry.settings)}, clock rate ${entry.rate}`;
    case "tenants":
      return `serves ${[...entry.standings].map(([id, standing]) => `${id.slice(0, 8)} ${standing}`).join(", ")}`;
    case "paused":
      return `${entry.how}: stands still`;
    case "stopping":
      return "is asked to stop";
    case "session-over":
      return "hears that its generation is over";
    case "resumed":
      return "continues";
    case "struck":
      return `(${entry.fault})`;
    case "commits-expired":
      return "committed offsets expired";
    case "post":
      return `POST #${entry.call} to ${entry.tenantId}: ${entry.items.map(({ details }) => identityText(details)).join("; ")}`;
    case "created":
      return `CREATED by #${entry.call}.${entry.item}: ${entry.object.id} ${identityText(entry.object)}`;
    case "answered":
      return `answer to #${entry.call}.${entry.item}: ${entry.result}${entry.retryAfterMs === null ? "" : `, wait ${entry.retryAfterMs} ms`}`;
    case "worker": {
      const { kind, ...rest } = entry.event;
      return `  ${kind} ${JSON.stringify(rest)}`;
    }
    case "exit":
      return `EXIT ${entry.how} ${entry.text}`;
    case "threw":
      return `THREW ${entry.text}`;
    case "calm":
      return "--- faults stop ---";
    case "note":
      return entry.text;
  }
}

function identityText(of: Identifying): string {
  return `${of.machineName} ${of.connectorName} ${of.enrollmentDateTime}`;
}

/** Enough of a value to know which record it is. */
function gist(value: Uint8Array | null): string {
  const text = value === null ? "(no value)" : new TextDecoder().decode(value.subarray(0, 2_000));
  const found = ["machineName", "connectorName", "enrollmentDateTime"].map(
    (name) => new RegExp(`"${name}":"([^"]{0,80})"`).exec(text)?.[1],
  );
  return found.every((part) => part === undefined) ? text.slice(0, 60) : found.join(" ");
}

/** GUIDs fill the screen; their first 8 digits tell them apart. */
function idShortener(): (line: string) => string {
  return (line) => line.replaceAll(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "$1");
}
