/**
 * Counts the outcomes from the topics and from what Graph holds. It shares nothing with the worker but the shape of
 * its records: enrollments are distinguished by the strings that were emitted.
 */

import { recordJson } from "../../src/cli/record-json.ts";
import type { Identifying } from "../../src/domain/same-enrollment.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";
import type { ChaosPlan } from "./plan.ts";

export interface ChaosOutcome {
  readonly registered: readonly LogRecord[];
  readonly deadLetters: readonly LogRecord[];
  readonly inventory: Readonly<Record<string, readonly GraphObject[]>>;
  /** Tenants that were not listed at some time: records of theirs may have been refused for that. */
  readonly everRemoved?: ReadonlySet<string>;
}

export interface ChaosCounts {
  /** Distinct enrollments in connector.registered. */
  readonly registered: number;
  /** Objects beyond the first of each enrollment. */
  readonly duplicateObjects: number;
  /** Records of connector.registered whose id stood there before. */
  readonly duplicateRegistered: number;
  /** Enrollments without an object or a registered record, and bad records without a dead letter. */
  readonly lost: number;
  /** Registered enrollments whose object was found in Graph after an unknown outcome. */
  readonly recovered: number;
  /** Enrollments without an object of which a record was refused since its tenant was not listed. */
  readonly refusedForTenant: number;
  /** One line each, at most 20: whatever else is not as it should be. */
  readonly problems: readonly string[];
}

export interface Registered {
  readonly id: string;
  readonly name: string;
  readonly graphId: string;
  readonly outcome: string;
  /** What two records of one enrollment have in common: all but times, outcome, and how it was reached. */
  readonly constant: string;
}

const problemsMax = 20;

export function verifyChaos(plan: ChaosPlan, outcome: ChaosOutcome): ChaosCounts {
  const problems: string[] = [];
  const complain = (text: string) => void (problems.length < problemsMax && problems.push(text));
  const expected = new Set(plan.enrollments.map(({ tenantId, data }) => nameOf(tenantId, data)));
  const objects = Map.groupBy(
    Object.entries(outcome.inventory).flatMap(([tenantId, some]) =>
      some.map((object) => ({ id: object.id, name: nameOf(tenantId, object) })),
    ),
    ({ name }) => name,
  );
  const byId = new Map<string, Registered>();
  let duplicateRegistered = 0;
  for (const record of outcome.registered) {
    const entry = readRegistered(record);
    const first = byId.get(entry.id);
    if (first !== undefined) duplicateRegistered++;
    else byId.set(entry.id, entry);
    if (first !== undefined && first.constant !== entry.constant) {
      complain(`two registered records of ${entry.id} differ: ${first.constant} and ${entry.constant}`);
    }
  }
  const byName = Map.groupBy(byId.values(), ({ name }) => name);
  for (const [name, entries] of byName) {
    if (!expected.has(name)) complain(`registered, but never emitted: ${name}`);
    if (entries.length > 1) complain(`registered under ${entries.length} ids: ${name}`);
    const ids = objects.get(name)?.map(({ id }) => id) ?? [];
    for (const { graphId } of entries) {
      if (!ids.includes(graphId)) complain(`registered as ${graphId}, which Graph doesn't hold: ${name}`);
    }
  }
  let duplicateObjects = 0;
  for (const [name, same] of objects) {
    duplicateObjects += same.length - 1;
    if (!expected.has(name)) complain(`in Graph, but never emitted: ${name}`);
    if (same.length > 1) complain(`${same.length} objects (${same.map(({ id }) => id).join(", ")}): ${name}`);
  }
  const refused = refusedNames(plan, outcome);
  const refusedForTenant = [...refused].filter((name) => !byName.has(name) && !objects.has(name));
  const isRefused = new Set(refusedForTenant);
  const lost = [...expected].filter(
    (name) => (!byName.has(name) || !objects.has(name)) && !isRefused.has(name),
  );
  for (const name of lost) complain(`lost: ${name}`);
  return {
    registered: byName.size,
    duplicateObjects,
    duplicateRegistered,
    lost: lost.length + lostBad(plan, outcome, complain),
    recovered: [...byId.values()].filter((entry) => entry.outcome === "recovered").length,
    refusedForTenant: refusedForTenant.length,
    problems,
  };
}

/** By the values of its records: which enrollment it is, and of which tenant. */
function enrollmentsByValue({ records, bad }: ChaosPlan) {
  const isBad = new Set(bad.map(base64Of));
  const values = new Map<string, { readonly name: string; readonly tenantId: string }>();
  for (const record of records) {
    const value = base64Of(record);
    if (isBad.has(value)) continue;
    const text = Buffer.from(record.value ?? []).toString();
    const parsed = JSON.parse(text) as Identifying & { data?: Identifying; tenantid?: string };
    const header = record.headers.find(([name]) => name === "ce_tenantid")?.[1];
    const tenantId = (parsed.tenantid ?? Buffer.from(header ?? []).toString()).toLowerCase();
    values.set(value, { name: nameOf(tenantId, parsed.data ?? parsed), tenantId });
  }
  return values;
}

/** Enrollments of which a record was refused since its tenant was not listed. */
function refusedNames(plan: ChaosPlan, { deadLetters, everRemoved }: ChaosOutcome): ReadonlySet<string> {
  const names = new Set<string>();
  if (everRemoved === undefined || everRemoved.size === 0) return names;
  const known = enrollmentsByValue(plan);
  for (const letter of deadLetters) {
    const found = known.get(base64Of(letter));
    if (found !== undefined && everRemoved.has(found.tenantId) && codeOf(letter) === "tenant-not-allowed")
      names.add(found.name);
  }
  return names;
}

function codeOf(letter: LogRecord): string {
  const header = letter.headers.find(([name]) => name === "dead-letter")?.[1] ?? null;
  return header === null ? "" : (JSON.parse(Buffer.from(header).toString()) as { code: string }).code;
}

/** Bad records without a dead letter. A dead letter of anything else is complained about. */
function lostBad(
  plan: ChaosPlan,
  { deadLetters, everRemoved = new Set() }: ChaosOutcome,
  complain: (text: string) => void,
): number {
  const good = everRemoved.size === 0 ? new Map() : enrollmentsByValue(plan);
  const isForTenant = (letter: LogRecord): boolean =>
    everRemoved.has(good.get(base64Of(letter))?.tenantId ?? "") && codeOf(letter) === "tenant-not-allowed";
  const found = new Set<string>();
  const expected = new Set(plan.bad.map(base64Of));
  for (const letter of deadLetters) {
    const value = base64Of(letter);
    if (expected.has(value)) found.add(value);
    else if (!isForTenant(letter))
      complain(`a dead letter of a good record: ${recordJson(letter).headers["dead-letter"]}`);
  }
  for (const value of expected) {
    if (!found.has(value)) {
      complain(`lost: no dead letter of ${Buffer.from(value, "base64").toString("latin1").slice(0, 200)}`);
    }
  }
  return expected.size - found.size;
}

function base64Of({ value }: NewRecord | LogRecord): string {
  return Buffer.from(value ?? []).toString("base64");
}

export function readRegistered(record: LogRecord): Registered {
  const { id, data } = JSON.parse(recordJson(record).value ?? "null");
  const {
    outcome,
    registeredAt: _registered,
    enrolledAt: _enrolled,
    attempts: _attempts,
    graph: _graph,
    ...rest
  } = data;
  return {
    id,
    name: nameOf(data.tenantId, data),
    graphId: data.id,
    outcome,
    constant: JSON.stringify(rest),
  };
}

export function nameOf(
  tenantId: string,
  { machineName, connectorName, enrollmentDateTime }: Identifying,
): string {
  return [tenantId.toLowerCase(), machineName.toUpperCase(), connectorName, enrollmentDateTime].join(" / ");
}
