/**
 * Counts what came of it from the topics and from what Graph holds. It shares nothing with the worker but the shape of
 * its records: enrollments are told apart by the strings that were emitted.
 */
import { recordJson } from "../../src/cli/record-json.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";
import type { ChaosPlan } from "./plan.ts";

export interface ChaosOutcome {
  readonly registered: readonly LogRecord[];
  readonly deadLetters: readonly LogRecord[];
  readonly inventory: Readonly<Record<string, readonly GraphObject[]>>;
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
  /** One line each, at most 20: whatever else is not as it should be. */
  readonly problems: readonly string[];
}

interface Registered {
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
  const lost = [...expected].filter((name) => !byName.has(name) || !objects.has(name));
  for (const name of lost) complain(`lost: ${name}`);
  return {
    registered: byName.size,
    duplicateObjects,
    duplicateRegistered,
    lost: lost.length + lostBad(plan.bad, outcome.deadLetters, complain),
    recovered: [...byId.values()].filter((entry) => entry.outcome === "recovered").length,
    problems,
  };
}

/** Bad records without a dead letter. A dead letter of anything else is complained about. */
function lostBad(
  bad: readonly NewRecord[],
  deadLetters: readonly LogRecord[],
  complain: (text: string) => void,
): number {
  const found = new Set<string>();
  const expected = new Set(bad.map(base64Of));
  for (const letter of deadLetters) {
    const value = base64Of(letter);
    if (expected.has(value)) found.add(value);
    else complain(`a dead letter of a good record: ${recordJson(letter).headers["dead-letter"]}`);
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

function readRegistered(record: LogRecord): Registered {
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

interface Named {
  readonly machineName: string;
  readonly connectorName: string;
  readonly enrollmentDateTime: string;
}

function nameOf(tenantId: string, { machineName, connectorName, enrollmentDateTime }: Named): string {
  return [tenantId.toLowerCase(), machineName.toUpperCase(), connectorName, enrollmentDateTime].join(" / ");
}
