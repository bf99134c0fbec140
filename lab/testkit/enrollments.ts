/** Enrollment events to start from, and what their records say in the end. */
import { readDeadLetter } from "../../src/domain/dead-letter.ts";
import { identify } from "../../src/domain/identity.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";

export const contoso = "11111111-1111-4111-8111-111111111111";
export const fabrikam = "22222222-2222-4222-8222-222222222222";
export const tailspin = "33333333-3333-4333-8333-333333333333";

export interface Enrolling {
  readonly tenant?: string;
  readonly machine?: string;
  readonly connector?: string;
  readonly at?: string;
  /** CloudEvents id. */
  readonly event?: string;
}

const utf8 = new TextEncoder();

export function detailsOf({ machine = "HOST-1", connector = "connector", at }: Enrolling) {
  return {
    connectorName: connector,
    machineName: machine,
    enrollmentDateTime: at ?? "2016-12-31T23:57:59.3726057-08:00",
    lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
    connectorVersion: "6.2406.0.1001",
  };
}

export function keyOf(enrolling: Enrolling): string {
  return identify(enrolling.tenant ?? contoso, detailsOf(enrolling))!.idempotencyKey;
}

export function objectOf(enrolling: Enrolling, id = "object-of-before"): GraphObject {
  return { id, ...detailsOf(enrolling) };
}

export function eventRecord(enrolling: Enrolling, partition: number): NewRecord {
  const { tenant = contoso, event = "event-1" } = enrolling;
  const value = {
    specversion: "1.0",
    id: event,
    source: "/installers/17",
    type: "connector.enrolled",
    tenantid: tenant,
    data: detailsOf(enrolling),
  };
  return {
    topic: "enrolled",
    partition,
    key: utf8.encode(tenant),
    value: utf8.encode(JSON.stringify(value)),
    headers: [],
  };
}

/** A record of the registered topic, as far as another worker's is read. */
export function registeredBefore(
  enrolling: Enrolling,
  partition = 0,
  graphId = "object-of-before",
): NewRecord {
  const id = keyOf(enrolling);
  const value = JSON.stringify({ id, type: "connector.registered", data: { id: graphId } });
  return { topic: "registered", partition, key: utf8.encode(id), value: utf8.encode(value), headers: [] };
}

/** A record as it stands in the retry topic. */
export function parkedBefore(enrolling: Enrolling, { inDoubt = false } = {}): NewRecord {
  const headers = inDoubt ? ([["in-doubt", utf8.encode("1")]] as const) : [];
  return { ...eventRecord(enrolling, 0), topic: "retry", headers };
}

/** What an audit consumer reads in `connector.registered`. */
export interface Registered {
  readonly id: string;
  readonly data: GraphObject & {
    readonly tenantId: string;
    readonly idempotencyKey: string;
    readonly outcome: string;
    readonly attempts: number;
    readonly graph: { readonly requestId: string | null; readonly status: number | null };
    readonly sourceEvent: {
      readonly id: string;
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
    };
  };
}

export function readRegistered({ value }: LogRecord): Registered {
  return JSON.parse(new TextDecoder().decode(value ?? undefined));
}

/** `graph-400 enrolled/0/3`: why, and which record. */
export function readDead(record: LogRecord): string {
  const dead = readDeadLetter(record);
  return `${dead?.refusal.code} ${dead?.id}`;
}

export function headerNames(record: LogRecord): string[] {
  return record.headers.map(([name]) => name);
}
