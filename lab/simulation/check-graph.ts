/** Creates: under the watermark, after Retry-After, once for each identity, in order for each machine. */
import type { LogRecord } from "../../src/ports.ts";
import type { Lost } from "./check-lost.ts";
import { readPauses } from "./check-pauses.ts";
import type { Created, GraphFindings, Residue, Run } from "./check-run.ts";
import { refusedForTenant } from "./check-served.ts";
import type { Entry } from "./history.ts";
import { inputOf } from "./origins.ts";

interface Occurrence {
  readonly stored: LogRecord;
  /** Rises from record to record, also where a topic was made again and counts offsets from the start. */
  readonly order: number;
}

/** Where the records of each identity stood, and what was made of them. */
interface Creates {
  readonly lost: Lost;
  readonly occurrences: ReadonlyMap<number, readonly Occurrence[]>;
  readonly created: ReadonlyMap<number, readonly Created[]>;
}

export function objectKey(tenantId: string, objectId: string): string {
  return `${tenantId}/${objectId}`;
}

export function checkGraph(run: Run, lost: Lost): GraphFindings {
  const pauses = readPauses(run.entries);
  const identityOf = new Map<string, number>();
  const violations: string[] = [];
  const occurrences = new Map<number, Occurrence[]>();
  const watermarks = new Map<string, number>();
  const closedUntilMs = new Map<string, number>();
  const created = new Map<number, Created[]>();
  const failures = new Map<number, number>();
  const calls = new Map<number, readonly (number | null)[]>();

  /** A wait may be this much shorter than asked for, by a clock that runs fast. */
  const fastest = Math.max(1, ...run.entries.map((entry) => (entry.kind === "start" ? entry.rate : 1)));

  for (const [order, entry] of run.entries.entries()) {
    switch (entry.kind) {
      case "stored":
        {
          const identity = identityAtHome(run, entry.record);
          if (identity !== null) add(occurrences, identity, { stored: entry.record, order });
        }
        break;
      case "commit":
        watermarks.set(`${entry.topic}/${entry.partition}`, attemptedThrough(entry.metadata) ?? entry.offset);
        break;
      case "commits-expired":
        watermarks.clear();
        break;
      case "post": {
        const identities = entry.items.map(({ details }) => run.workload.identityOf(entry.tenantId, details));
        calls.set(entry.call, identities);
        const closedMs = closedUntilMs.get(`${entry.by} ${entry.tenantId}`) ?? 0;
        if (entry.tMs < closedMs) {
          violations.push(
            `${at(entry)} posts to ${entry.tenantId}, ${closedMs - entry.tMs} ms before Retry-After passed`,
          );
        }
        for (const [index, identity] of identities.entries()) {
          if (identity === null) {
            violations.push(
              `${at(entry)} posts what no enrollment asks for: ${JSON.stringify(entry.items[index]?.details)}`,
            );
          } else if (!isPromised(occurrences.get(identity) ?? [], watermarks)) {
            violations.push(`${at(entry)} posts identity ${identity} outside the promised watermark`);
          }
        }
        break;
      }
      case "created": {
        const identity = calls.get(entry.call)?.[entry.item] ?? null;
        if (identity === null) break; // reported with its post
        identityOf.set(objectKey(entry.tenantId, entry.object.id), identity);
        const isLate = pauses.outlives(entry.by, entry.calledAtMs, entry.tMs);
        const { object, tMs, calledAtMs } = entry;
        add(created, identity, { object, tMs, calledAtMs, isLate });
        break;
      }
      case "answered": {
        if (entry.retryAfterMs !== null) {
          const key = `${entry.by} ${entry.tenantId}`;
          const untilMs = Math.floor(entry.tMs + entry.retryAfterMs / fastest);
          closedUntilMs.set(key, Math.max(closedUntilMs.get(key) ?? 0, untilMs));
        }
        const identity = calls.get(entry.call)?.[entry.item];
        if (identity != null && entry.result !== 201)
          failures.set(identity, (failures.get(identity) ?? 0) + 1);
        break;
      }
    }
  }
  const creates: Creates = { lost, occurrences, created };
  const { residue, repeated } = countObjects(run, creates);
  violations.push(...repeated, ...checkOrder(run, creates));
  return { violations, residue, created, identityOf, failures };
}

/** The identity of an input that stands in its tenant's home partition; null: it is none, or stands elsewhere. */
function identityAtHome(run: Run, record: LogRecord): number | null {
  if (record.topic !== "enrolled" && record.topic !== "retry") return null;
  const intent = inputOf(record, run)?.intent;
  if (intent?.kind !== "valid") return null;
  const { tenantId } = run.workload.identities[intent.identity]!;
  return run.workload.homeOf(tenantId) === record.partition ? intent.identity : null;
}

function isPromised(occurrences: readonly Occurrence[], watermarks: ReadonlyMap<string, number>): boolean {
  return occurrences.some(
    ({ stored }) => stored.offset < (watermarks.get(`${stored.topic}/${stored.partition}`) ?? 0),
  );
}

/** `repeated`: the violations. */
function countObjects(
  run: Run,
  { lost, occurrences, created }: Creates,
): { readonly residue: Residue[]; readonly repeated: string[] } {
  const residue: Residue[] = [];
  const repeated: string[] = [];
  for (const { number, tenantId, isRefused } of run.workload.identities) {
    const objects = created.get(number) ?? [];
    if (objects.length <= 1 || isHalfGone(lost, occurrences.get(number) ?? [])) continue;
    const ids = objects.map(({ object }) => object.id);
    if (isRefused)
      repeated.push(`identity ${number} has objects although Graph refuses it: ${ids.join(", ")}`);
    else if (!run.idsProtect && objects.some(({ isLate }) => isLate))
      residue.push({ tenantId, objectIds: ids });
    else repeated.push(`identity ${number} was created ${objects.length} times: ${ids.join(", ")}`);
  }
  return { residue, repeated };
}

function checkOrder(run: Run, { lost, occurrences, created }: Creates): string[] {
  const violations: string[] = [];
  const refused = refusedForTenant(run);
  const machines = new Map<string, { number: number; order: number; offset: number; tMs: number }[]>();
  for (const { number, machine } of run.workload.identities) {
    const first = created.get(number)?.[0];
    const all = occurrences.get(number) ?? [];
    const inEnrolled = all.filter(({ stored }) => stored.topic === "enrolled");
    if (first === undefined || first.isLate || inEnrolled.length === 0) continue;
    if (isHalfGone(lost, all) || refused.has(number)) continue;
    const { order, stored } = inEnrolled[0]!;
    add(machines, machine, { number, order, offset: stored.offset, tMs: first.tMs });
  }
  for (const objects of machines.values()) {
    objects.sort((a, b) => a.order - b.order);
    for (let i = 1; i < objects.length; i++) {
      const [before, after] = [objects[i - 1]!, objects[i]!];
      if (before.tMs <= after.tMs) continue;
      violations.push(
        `order on one machine: identity ${after.number} (offset ${after.offset}) was created at ${after.tMs} ms, before ` +
          `identity ${before.number} (offset ${before.offset}) at ${before.tMs} ms`,
      );
    }
  }
  return violations;
}

/** The log lost a record of it, perhaps one that was posted and not settled: then no worker can know of its object. */
function isHalfGone(lost: Lost, occurrences: readonly Occurrence[]): boolean {
  return occurrences.some(({ stored }) => lost.has(stored));
}

/** As the registrar writes it into its commits; null: not one of its own. */
export function attemptedThrough(metadata: string): number | null {
  try {
    const { a } = JSON.parse(metadata) as { a?: unknown };
    return typeof a === "number" ? a : null;
  } catch {
    return null;
  }
}

function at(entry: Entry & { by: string }): string {
  return `at ${entry.tMs} ms ${entry.by}`;
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
