/** A parker between a log that is read on request and parts that note what they get, for tests of what it takes up. */
import assert from "node:assert/strict";
import { eventRecord } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { EventLog, LogRecord, ScanResult, Session } from "../../../src/ports.ts";
import type { Problem } from "../../../src/problem.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import type { Flow } from "../../../src/registrar/flow/flow.ts";
import { createParker } from "../../../src/registrar/flow/parker.ts";
import { note } from "../../../src/registrar/intake/parking.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { OwnedPartition, Work } from "../../../src/registrar/ownership/partition.ts";
import type { RegistrarSettings } from "../../../src/registrar/settings.ts";
import { freshPartition } from "../fresh-partition.ts";

export const [a, b] = ["a", "b"].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`) as [
  string,
  string,
];
export const rest = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Scan {
  readonly from: number;
  readonly onRecords: (records: readonly LogRecord[]) => void;
  readonly signal: AbortSignal;
  readonly end: (result: ScanResult) => void;
}

/** `parked`: tenants of the records in the retry topic, from offset 0 on. Chance is 0.5. */
export function given(parked: readonly string[], changes: Partial<RegistrarSettings> = {}) {
  const clock = virtualClock();
  const scans: Scan[] = [];
  const events: RegistrarEvent[] = [];
  const faults: Problem[] = [];
  const taken: number[] = [];
  const now = { paused: new Set<string>(), blocked: new Set<string>() };
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  for (const [offset, tenantId] of parked.entries()) note(partition.parking, tenantId, offset);
  const standingOf = (tenantId: string) => (now.paused.has(tenantId) ? "paused" : "served");
  const log: Pick<EventLog, "scan"> = {
    scan: (...[topic, number, from, onRecords, signal]) => {
      assert.deepEqual([topic, number], ["retry", 0]);
      return new Promise((end) => void scans.push({ from, onRecords, signal, end }));
    },
  };
  const core = {
    ports: { log, clock, random: () => 0.5, observe: (event: RegistrarEvent) => void events.push(event) },
    settings: { ...settings, windowRecords: 8, ...changes, tenants: { ...settings.tenants, standingOf } },
    outside: { fault: (fault: Problem) => void faults.push(fault) },
  };
  const flow = {
    tenants: { isBlocked: (tenantId: string) => now.blocked.has(tenantId) },
    readBack: { isStalled: () => false },
  };
  const onTaken = { call: () => {} };
  const parker = createParker(core as unknown as Core, flow as unknown as Flow, {
    takeUp({ tenants }: OwnedPartition, _, record) {
      taken.push(record.offset);
      const tenantId = parked[record.offset]!;
      tenants.set(tenantId, (tenants.get(tenantId) ?? new Set()).add({ record } as unknown as Work));
      onTaken.call();
    },
  });
  const recordAt = (offset: number): LogRecord => ({
    ...eventRecord({ tenant: parked[offset]! }, 0),
    ...{ topic: "retry", offset, timestampMs: 0, leaderEpoch: -1 },
  });
  return {
    ...{ clock, scans, events, faults, now, partition, parker, onTaken },
    /** The log hands over all from where the scan began, and the scan ends. */
    async scan({ upTo = parked.length, result = { ok: true, nextOffset: upTo } as ScanResult } = {}) {
      const { from, onRecords, end } = scans.at(-1)!;
      onRecords(Array.from({ length: Math.max(0, upTo - from) }, (_, n) => recordAt(from + n)));
      end(result);
      await rest();
    },
    seen: () => taken.splice(0),
    /** So many of what was taken up are settled. */
    settle(tenantId: string, count: number) {
      const works = partition.tenants.get(tenantId)!;
      for (const work of [...works].slice(0, count)) works.delete(work);
    },
  };
}
export const times = (count: number, ...tenants: readonly string[]) =>
  Array.from({ length: count }, () => tenants).flat();
