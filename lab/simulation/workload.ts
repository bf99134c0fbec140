/**
 * What installers send in one run. Each input carries what it is meant to be, so that the checker knows the identity
 * of every record without asking the code that it checks.
 */

import type { EnrollmentDetails } from "../../src/domain/enrollment.ts";
import type { Identifying } from "../../src/domain/same-enrollment.ts";
import type { NewRecord } from "../../src/ports.ts";
import { type BadSort, badSorts, encodeBad, encodeEvent, utf8 } from "./encode.ts";
import { homeOf } from "./home.ts";
import { guid, type Rng } from "./rng.ts";

export type Intent =
  | { readonly kind: "valid"; readonly identity: number }
  | { readonly kind: "bad"; readonly sort: BadSort };

export interface Input {
  readonly number: number;
  readonly atMs: number;
  readonly record: NewRecord;
  readonly intent: Intent;
}

/** One connector's enrollment: what must end as one object. */
export interface Identity {
  readonly number: number;
  readonly tenantId: string;
  /** Tenant and machine in one text, equal for equal machines: the unit of order. */
  readonly machine: string;
  /** Graph will answer 400 for good. */
  readonly isRefused: boolean;
}

export interface Workload {
  readonly tenants: readonly string[];
  /** One that is never served. */
  readonly foreignTenant: string;
  readonly identities: readonly Identity[];
  readonly inputs: readonly Input[];
  readonly lastArrivalMs: number;
  /** The identity of a tenant's object or request, null for one that the workload doesn't know. */
  identityOf(tenantId: string, details: Identifying): number | null;
  /** The same instant in UTC, as a service might hand it back. */
  inUtc(enrollmentDateTime: string): string;
  homeOf(tenantId: string): number;
}

interface Enrollment extends Identity {
  readonly machineNames: readonly string[];
  readonly connectorName: string;
  readonly instants: readonly string[];
}

export interface WorkloadSettings {
  readonly partitionCount: number;
  readonly activeMs: number;
  /** Machines enroll many connectors, one now and one then, so that new records meet parked ones. Default: false. */
  readonly isSteady?: boolean;
}

export function generateWorkload(
  rng: Rng,
  { partitionCount, activeMs, isSteady = false }: WorkloadSettings,
): Workload {
  const tenants = Array.from({ length: rng.int(1, 5) }, () => guid(rng));
  const foreignTenant = guid(rng);
  const enrollments = enroll(rng, tenants, isSteady);
  const known = new Map<string, number>();
  const utc = new Map<string, string>();
  for (const { tenantId, machineNames, connectorName, instants, number } of enrollments) {
    for (const instant of instants) {
      utc.set(instant, instants[0]!);
      for (const name of machineNames) known.set([tenantId, name, connectorName, instant].join("|"), number);
    }
  }

  const duplicates = rng.pick([0, 0.1, 0.4]);
  const misKeyed = partitionCount > 1 ? rng.pick([0, 0, 0.15, 0.5]) : 0;
  const bad = rng.pick([0, 0.05, 0.2]);
  const waves = arrivalTimes(rng, activeMs, isSteady);
  const inputs: Input[] = [];
  const put = (record: NewRecord, intent: Intent, atMs: number): void => {
    inputs.push({ number: inputs.length, atMs, record, intent });
  };
  const send = (one: Enrollment, atMs: number): void => {
    const machineName = rng.pick(one.machineNames);
    const details: EnrollmentDetails = {
      connectorName: one.connectorName,
      machineName,
      enrollmentDateTime: rng.pick(one.instants),
      lastCheckinDateTime: `2026-01-0${rng.int(1, 9)}T10:00:00.0000000Z`,
      connectorVersion: `6.${rng.int(1, 9)}.0`,
    };
    const home = homeOf(one.tenantId, partitionCount);
    const isAstray = rng.chance(misKeyed);
    const partition = isAstray ? (home + rng.int(1, partitionCount - 1)) % partitionCount : home;
    const key = isAstray ? rng.pick([null, utf8(details.machineName)]) : utf8(one.tenantId);
    const event = encodeEvent(rng, { id: `event-${inputs.length}`, tenantId: one.tenantId }, details);
    put({ topic: "enrolled", partition, key, ...event }, { kind: "valid", identity: one.number }, atMs);
  };

  for (const one of enrollments) {
    const atMs = waves();
    send(one, atMs);
    while (rng.chance(duplicates)) send(one, rng.chance(0.5) ? atMs + rng.int(0, 50) : waves());
    if (!rng.chance(bad)) continue;
    const sort = rng.pick(badSorts);
    const partition = rng.int(0, partitionCount - 1);
    const tenantId = sort === "tenant-not-allowed" ? foreignTenant : one.tenantId;
    const event = encodeBad(rng, sort, { id: `event-${inputs.length}`, tenantId });
    put({ topic: "enrolled", partition, key: utf8(one.tenantId), ...event }, { kind: "bad", sort }, waves());
  }
  return {
    tenants,
    foreignTenant,
    identities: enrollments,
    inputs,
    lastArrivalMs: Math.max(...inputs.map((input) => input.atMs)),
    identityOf: (tenantId, { machineName, connectorName, enrollmentDateTime }) =>
      known.get([tenantId, machineName, connectorName, enrollmentDateTime].join("|")) ?? null,
    inUtc: (text) => utc.get(text) ?? text,
    homeOf: (tenantId) => homeOf(tenantId, partitionCount),
  };
}

/** Waves of arrivals: immediately, spread over the active phase, and a few when faults have stopped. */
function arrivalTimes(rng: Rng, activeMs: number, isSteady: boolean): () => number {
  const waves = isSteady ? [0] : rng.pick([[0], [0, activeMs * 0.5], [0, activeMs * 0.3, activeMs * 0.9]]);
  const spreadMs = isSteady ? activeMs : rng.pick([10, 5_000, activeMs * 0.4]);
  return () =>
    rng.chance(0.05)
      ? activeMs + rng.int(1, 20_000)
      : Math.floor(rng.pick(waves)) + rng.int(0, Math.floor(spreadMs));
}

function enroll(rng: Rng, tenants: readonly string[], isSteady: boolean): Enrollment[] {
  const refused = rng.chance(0.3) ? 0.1 : 0;
  const enrollments: Enrollment[] = [];
  for (const tenantId of tenants) {
    const machines = rng.int(1, 4);
    for (let machine = 0; machine < machines; machine++) {
      const name = `srv-${machine}.contoso.example`;
      const machineNames = rng.chance(0.5) ? [name] : [name, name.toUpperCase()];
      const connectors = isSteady ? rng.int(3, 9) : rng.int(1, 6);
      for (let connector = 0; connector < connectors; connector++) {
        // Some connectors of a machine differ in their name, some only in 100 ns of their enrollment.
        const connectorName = connector % 2 === 0 ? rng.pick(spellings)(connector) : "connector-x";
        enrollments.push({
          number: enrollments.length,
          tenantId,
          machine: `${tenantId} ${name}`,
          isRefused: rng.chance(refused),
          machineNames,
          connectorName,
          instants: sameInstant(rng, `372605${connector}`),
        });
      }
    }
  }
  return rng.shuffle(enrollments).map((one, number) => ({ ...one, number }));
}

/** Names that a service may trim or fold, among them. */
const spellings: readonly ((connector: number) => string)[] = [
  (connector) => `connector-${connector}`,
  (connector) => `Connector ${connector} `,
];

/** One instant in several texts, the first in UTC with seven digits. */
function sameInstant(rng: Rng, fraction: string): string[] {
  const secondsMs = Date.UTC(2025, 11, 31, 23, 57, 59);
  const text = (offsetMinutes: number, offset: string): string =>
    `${new Date(secondsMs + offsetMinutes * 60_000).toISOString().slice(0, 19)}.${fraction}${offset}`;
  const utc = text(0, "Z");
  return rng.chance(0.5) ? [utc] : [utc, text(-480, "-08:00"), text(330, "+05:30"), text(0, "+00:00")];
}
