/**
 * What installers send in one run. Each input carries what it is meant to be, so that the checker knows the identity
 * of every record without asking the code that it checks.
 */
import type { NewRecord } from "../../src/ports.ts";
import { type Dice, guid } from "./dice.ts";
import type { Details } from "./encode.ts";
import { type BadSort, badSorts, encodeBad, encodeEvent, utf8 } from "./encode.ts";
import { homeOf } from "./home.ts";

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
  readonly identities: readonly Identity[];
  readonly inputs: readonly Input[];
  readonly lastArrivalMs: number;
  /** The identity of a tenant's object or request, null for one that the workload doesn't know. */
  identityOf(
    tenantId: string,
    details: Pick<Details, "machineName" | "connectorName" | "enrollmentDateTime">,
  ): number | null;
  /** The same instant in UTC, as a service might hand it back. */
  inUtc(enrollmentDateTime: string): string;
  homeOf(tenantId: string): number;
}

interface Enrollment extends Identity {
  readonly machineNames: readonly string[];
  readonly connectorName: string;
  readonly instants: readonly string[];
}

/** `isSteady`: machines enroll many connectors, one now and one then, so that new records meet parked ones. */
export function generateWorkload(
  dice: Dice,
  partitionCount: number,
  activeMs: number,
  isSteady = false,
): Workload {
  const tenants = Array.from({ length: dice.int(1, 5) }, () => guid(dice));
  const foreignTenant = guid(dice);
  const enrollments = enroll(dice, tenants, isSteady);
  const known = new Map<string, number>();
  const utc = new Map<string, string>();
  for (const { tenantId, machineNames, connectorName, instants, number } of enrollments) {
    for (const instant of instants) {
      utc.set(instant, instants[0]!);
      for (const name of machineNames) known.set([tenantId, name, connectorName, instant].join("|"), number);
    }
  }

  const duplicates = dice.pick([0, 0.1, 0.4]);
  const misKeyed = partitionCount > 1 ? dice.pick([0, 0, 0.15, 0.5]) : 0;
  const bad = dice.pick([0, 0.05, 0.2]);
  const waves = arrivalTimes(dice, activeMs, isSteady);
  const inputs: Input[] = [];
  const put = (record: NewRecord, intent: Intent, atMs: number): void => {
    inputs.push({ number: inputs.length, atMs, record, intent });
  };
  const send = (one: Enrollment, atMs: number): void => {
    const machineName = dice.pick(one.machineNames);
    const details: Details = {
      connectorName: one.connectorName,
      machineName,
      enrollmentDateTime: dice.pick(one.instants),
      lastCheckinDateTime: `2026-01-0${dice.int(1, 9)}T10:00:00.0000000Z`,
      connectorVersion: `6.${dice.int(1, 9)}.0`,
    };
    const home = homeOf(one.tenantId, partitionCount);
    const isAstray = dice.chance(misKeyed);
    const partition = isAstray ? (home + dice.int(1, partitionCount - 1)) % partitionCount : home;
    const key = isAstray ? dice.pick([null, utf8(details.machineName)]) : utf8(one.tenantId);
    const event = encodeEvent(dice, one.tenantId, details, `event-${inputs.length}`);
    put({ topic: "enrolled", partition, key, ...event }, { kind: "valid", identity: one.number }, atMs);
  };

  for (const one of enrollments) {
    const atMs = waves();
    send(one, atMs);
    while (dice.chance(duplicates)) send(one, dice.chance(0.5) ? atMs + dice.int(0, 50) : waves());
    if (!dice.chance(bad)) continue;
    const sort = dice.pick(badSorts);
    const partition = dice.int(0, partitionCount - 1);
    const event = encodeBad(dice, sort, one.tenantId, foreignTenant, `event-${inputs.length}`);
    put({ topic: "enrolled", partition, key: utf8(one.tenantId), ...event }, { kind: "bad", sort }, waves());
  }
  return {
    tenants,
    identities: enrollments,
    inputs,
    lastArrivalMs: Math.max(...inputs.map((input) => input.atMs)),
    identityOf: (tenantId, { machineName, connectorName, enrollmentDateTime }) =>
      known.get([tenantId, machineName, connectorName, enrollmentDateTime].join("|")) ?? null,
    inUtc: (text) => utc.get(text) ?? text,
    homeOf: (tenantId) => homeOf(tenantId, partitionCount),
  };
}

/** Waves of arrivals: at once, spread over the active phase, and a few when faults have stopped. */
function arrivalTimes(dice: Dice, activeMs: number, isSteady: boolean): () => number {
  const waves = isSteady ? [0] : dice.pick([[0], [0, activeMs * 0.5], [0, activeMs * 0.3, activeMs * 0.9]]);
  const spreadMs = isSteady ? activeMs : dice.pick([10, 5_000, activeMs * 0.4]);
  return () =>
    dice.chance(0.05)
      ? activeMs + dice.int(1, 20_000)
      : Math.floor(dice.pick(waves)) + dice.int(0, Math.floor(spreadMs));
}

function enroll(dice: Dice, tenants: readonly string[], isSteady: boolean): Enrollment[] {
  const refused = dice.chance(0.3) ? 0.1 : 0;
  const enrollments: Enrollment[] = [];
  for (const tenantId of tenants) {
    const machines = dice.int(1, 4);
    for (let machine = 0; machine < machines; machine++) {
      const name = `srv-${machine}.contoso.example`;
      const machineNames = dice.chance(0.5) ? [name] : [name, name.toUpperCase()];
      const connectors = isSteady ? dice.int(3, 9) : dice.int(1, 6);
      for (let connector = 0; connector < connectors; connector++) {
        // Some connectors of a machine differ in their name, some only in 100 ns of their enrollment.
        const connectorName = connector % 2 === 0 ? dice.pick(spellings)(connector) : "connector-x";
        enrollments.push({
          number: enrollments.length,
          tenantId,
          machine: `${tenantId} ${name}`,
          isRefused: dice.chance(refused),
          machineNames,
          connectorName,
          instants: sameInstant(dice, `372605${connector}`),
        });
      }
    }
  }
  return dice.shuffle(enrollments).map((one, number) => ({ ...one, number }));
}

/** Names that a service may trim or fold, among them. */
const spellings: readonly ((connector: number) => string)[] = [
  (connector) => `connector-${connector}`,
  (connector) => `Connector ${connector} `,
];

/** One instant in several texts, the first in UTC with seven digits. */
function sameInstant(dice: Dice, fraction: string): string[] {
  const secondsMs = Date.UTC(2025, 11, 31, 23, 57, 59);
  const text = (offsetMinutes: number, offset: string): string =>
    `${new Date(secondsMs + offsetMinutes * 60_000).toISOString().slice(0, 19)}.${fraction}${offset}`;
  const utc = text(0, "Z");
  return dice.chance(0.5) ? [utc] : [utc, text(-480, "-08:00"), text(330, "+05:30"), text(0, "+00:00")];
}
