/**
 * Counts the outcomes of the demo, from the topics as read back and the objects that Graph holds. It shares nothing with
 * the worker but the shape of its records: enrollments are distinguished by the strings that were emitted.
 */

import { createHash } from "node:crypto";
import type { Identifying } from "../src/domain/same-enrollment.ts";
import type { GraphObject } from "../src/graph-port.ts";
import type { LogRecord, NewRecord } from "../src/ports.ts";
import type { DemoPlan } from "./plan.ts";

export interface DemoOutcome {
  readonly enrolled: readonly LogRecord[];
  readonly registered: readonly LogRecord[];
  readonly deadLetters: readonly LogRecord[];
  readonly inventory: Readonly<Record<string, readonly GraphObject[]>>;
}

export interface DemoCounts {
  /** Distinct enrollments that were to be registered. */
  readonly events: number;
  readonly emitted: number;
  readonly registered: number;
  readonly recovered: number;
  readonly duplicatesIgnored: number;
  readonly deadLettered: number;
  readonly graphObjects: number;
  readonly duplicateObjects: number;
  /** Enrollments without an object or without a registered record, and bad records without a dead letter. */
  readonly lost: number;
}

export interface Verification {
  readonly counts: DemoCounts;
  /** One line for each thing that is not as it should be, at most 20. */
  readonly problems: readonly string[];
}

interface Registered {
  readonly eventId: string;
  readonly graphId: string;
  readonly outcome: string;
  readonly tenantId: string;
  readonly enrollment: string;
}

const maxProblems = 20;

export function verifyDemo(plan: DemoPlan, outcome: DemoOutcome): Verification {
  const problems: string[] = [];
  const complain = (text: string) => problems.length < maxProblems && problems.push(text);
  // Records that the worker moved to their tenant's partition stand a second time in the topic.
  const enrolled = outcome.enrolled.filter((record) => headerText(record, "origin") === null);
  if (enrolled.length !== plan.records.length) {
    complain(`${plan.records.length} records were emitted, ${enrolled.length} stand in the topic`);
  }
  const bad = countDeadLetters(plan, { enrolled, deadLetters: outcome.deadLetters }, complain);
  const registered = outcome.registered.map(readRegistered);
  const objects = Object.entries(outcome.inventory).flatMap(([tenantId, some]) =>
    some.map((object) => ({ id: object.id, enrollment: enrollmentName(tenantId, object) })),
  );
  const found = countRegistered(plan, { registered, objects }, complain);
  return {
    counts: {
      events: plan.enrollments.length,
      emitted: enrolled.length,
      registered: registered.length,
      recovered: registered.filter((each) => each?.outcome === "recovered").length,
      duplicatesIgnored: enrolled.length - bad.expected - registered.length - found.missing,
      deadLettered: bad.found,
      graphObjects: objects.length,
      duplicateObjects: found.duplicateObjects,
      lost: found.missing + bad.missing,
    },
    problems,
  };
}

/** Each bad record has one dead letter, byte for byte; nothing else has one. */
function countDeadLetters(
  plan: DemoPlan,
  {
    enrolled,
    deadLetters,
  }: { readonly enrolled: readonly LogRecord[]; readonly deadLetters: readonly LogRecord[] },
  complain: (text: string) => void,
) {
  const badPrints = new Set(
    plan.records.filter(({ isBad }) => isBad).map((planned) => fingerprint(planned.make())),
  );
  const expected = new Map<string, LogRecord>();
  for (const record of enrolled) {
    if (badPrints.has(fingerprint(record))) expected.set(`${record.partition}/${record.offset}`, record);
  }
  if (expected.size !== plan.bad) complain(`${expected.size} of ${plan.bad} bad records stand in the topic`);
  const seen = new Set<string>();
  for (const letter of deadLetters) {
    const reason = parsed(headerText(letter, "dead-letter"));
    const source = reason?.source as { partition?: number; offset?: number } | undefined;
    const place = `${source?.partition}/${source?.offset}`;
    const original = expected.get(place);
    if (original === undefined) complain(`a dead letter of a good record: ${place} ${reason?.code}`);
    else if (fingerprint(original) !== fingerprint(withoutReason(letter)))
      complain(`the dead letter of ${place} differs from it`);
    if (seen.has(place)) complain(`${place} has two dead letters`);
    seen.add(place);
  }
  const missing = [...expected.keys()].filter((place) => !seen.has(place));
  for (const place of missing) complain(`the bad record at ${place} has no dead letter`);
  return { expected: expected.size, found: seen.size, missing: missing.length };
}

/** Each enrollment has one object, and one registered record with that object's id; nothing else has either. */
function countRegistered(
  plan: DemoPlan,
  {
    registered,
    objects,
  }: {
    readonly registered: readonly (Registered | null)[];
    readonly objects: readonly { id: string; enrollment: string }[];
  },
  complain: (text: string) => void,
) {
  const recordsOf = Map.groupBy(registered, (each) => each?.enrollment ?? "");
  const objectsOf = Map.groupBy(objects, (each) => each.enrollment);
  const eventIds = new Set(registered.map((each) => each?.eventId));
  if (eventIds.size !== registered.length) complain("two registered records have one CloudEvents id");
  if (recordsOf.has("")) complain("a registered record can't be read");
  let missing = 0;
  for (const { tenantId, data } of plan.enrollments) {
    const name = enrollmentName(tenantId, data);
    const records = recordsOf.get(name) ?? [];
    const same = objectsOf.get(name) ?? [];
    recordsOf.delete(name);
    objectsOf.delete(name);
    if (records.length === 0 || same.length === 0) missing += 1;
    if (records.length !== 1) complain(`${name} has ${records.length} registered records`);
    if (same.length !== 1) complain(`${name} has ${same.length} Graph objects`);
    const [record] = records;
    if (record && !same.some(({ id }) => id === record.graphId))
      complain(`${name} is registered under an id that Graph doesn't have`);
    if (record && record.tenantId !== tenantId)
      complain(`${name} is registered for tenant ${record.tenantId}`);
  }
  for (const name of recordsOf.keys()) if (name !== "") complain(`registered, but never emitted: ${name}`);
  for (const name of objectsOf.keys()) complain(`in Graph, but never emitted: ${name}`);
  const enrollments = new Set(objects.map((each) => each.enrollment));
  return { missing, duplicateObjects: objects.length - enrollments.size };
}

/** The demo's duplicates differ from their originals in the machine name's case at most. */
function enrollmentName(
  tenantId: string,
  { machineName, connectorName, enrollmentDateTime }: Identifying,
): string {
  return `${tenantId} ${machineName.toLowerCase()} ${connectorName} ${enrollmentDateTime}`;
}

function readRegistered(record: LogRecord): Registered | null {
  const event = parsed(record.value === null ? null : Buffer.from(record.value).toString("utf8"));
  const data = event?.data as (Identifying & { id: string; tenantId: string; outcome: string }) | undefined;
  if (!event || !data || typeof data.machineName !== "string") return null;
  return {
    eventId: String(event.id),
    graphId: data.id,
    outcome: data.outcome,
    tenantId: data.tenantId,
    enrollment: enrollmentName(data.tenantId, data),
  };
}

function fingerprint(record: Pick<NewRecord, "key" | "value" | "headers">): string {
  const hash = createHash("sha256");
  const add = (bytes: Uint8Array | null) => hash.update(`${bytes?.length ?? "null"}:`).update(bytes ?? "");
  add(record.key);
  add(record.value);
  for (const [name, value] of record.headers) {
    hash.update(`${name}=`);
    add(value);
  }
  return hash.digest("base64");
}

function withoutReason(letter: LogRecord): LogRecord {
  return { ...letter, headers: letter.headers.filter(([name]) => name !== "dead-letter") };
}

function headerText(record: LogRecord, wanted: string): string | null {
  const value = record.headers.find(([name]) => name === wanted)?.[1];
  return value ? Buffer.from(value).toString("utf8") : null;
}

function parsed(text: string | null): Record<string, unknown> | null {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
