/**
 * Keeps slow tenants out of the others' way: moves their records to `connector.enrolled.retry`, and takes them up
 * again as the tenant can. Slow: blocked, its reads failing, or with more records here than it may send within a second.
 *
 * 1. Records leave a window only when it is full, and then all of a slow tenant's lanes whose head is not in work. A
 *    lane leaves as a whole: would one of its records stay, a crash could bring it back behind those that left.
 * 2. At most `wantOf` parked records of a tenant are taken up at a time; a blocked tenant has one, which probes.
 * 3. A lane whose head keeps failing leaves too, whatever its tenant may send: else one record, always refused a
 *    clear answer, would hold up all that is behind a full window.
 */
import assert from "node:assert/strict";
import { backoffMs } from "../../policy/backoff.ts";
import type { Clock, EventLog, LogRecord, Observer, Random } from "../../ports.ts";
import { type Fault, parkedRecordsGone } from "../fault.ts";
import { firstParked, parkedTenantOf, takeUp } from "../intake/parking.ts";
import type { Slot } from "../intake/window.ts";
import { isOwned, type OwnedPartition, type Work } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import { sleep } from "../timers.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ReadBack } from "./read-back.ts";

export interface Parker {
  /** The window is full: parks what slow tenants hold in it. */
  makeRoom(partition: OwnedPartition): void;
  /** Takes up parked records of tenants that can go on. */
  refill(partition: OwnedPartition): void;
}

const slowWithinMs = 1_000;
const heldUpMs = 10_000;
const takenMax = 200;
const retryBackoff = { baseMs: 200, capMs: 5_000 };

export function createParker(
  ports: { log: EventLog; clock: Clock; random: Random; observe: Observer },
  settings: RegistrarSettings,
  dispatcher: Dispatcher,
  readBack: Pick<ReadBack, "isStalled">,
  events: {
    /** `work` is no longer in its lane; it is to be appended to the retry topic. */
    park(work: Work): void;
    take(partition: OwnedPartition, slot: Slot, record: LogRecord): void;
    fault(fault: Fault): void;
  },
): Parker {
  const { log, clock, random, observe } = ports;
  return { makeRoom, refill };

  function makeRoom(partition: OwnedPartition): void {
    for (const [tenantId, works] of partition.tenants) {
      const all = new Set([...works].map(({ lane }) => partition.lanes.get(lane) ?? []));
      const lanes = isSlow(tenantId, works.size) ? all : [...all].filter(isHeldUp); // 3
      for (const work of [...lanes].flatMap(leaving)) {
        withdraw(work);
        events.park(work);
      }
    }
  }

  /** Its head has failed, and for so long that others behind it should not wait for it. */
  function isHeldUp([head]: readonly Work[]): boolean {
    if (head === undefined || (head.attempts === 0 && head.doubt === null)) return false;
    return clock.nowMs() - head.enteredAtMs > heldUpMs;
  }

  function isSlow(tenantId: string, here: number): boolean {
    return isStuck(tenantId) || here > dispatcher.capacityWithin(tenantId, slowWithinMs);
  }

  /** Nothing of it goes on for now, or only a probe. */
  function isStuck(tenantId: string): boolean {
    return dispatcher.isBlocked(tenantId) || readBack.isStalled(tenantId);
  }

  function refill(partition: OwnedPartition): void {
    if (!partition.refilling && partition.parking.tenants.size > 0) void takeUpWanted(partition);
  }

  async function takeUpWanted(partition: OwnedPartition): Promise<void> {
    partition.refilling = true;
    let failures = 0;
    for (let wanted = wantedOf(partition); wanted.size > 0; wanted = wantedOf(partition)) {
      const from = Math.min(
        ...[...wanted.keys()].map((id) => firstParked(partition.parking, id) ?? Number.MAX_SAFE_INTEGER),
      );
      const full = new AbortController();
      const signal = AbortSignal.any([full.signal, partition.lost.signal]);
      let taken = 0;
      const result = await log.scan(
        "retry",
        partition.number,
        from,
        (records) => {
          for (const record of records) if (!signal.aborted && takeOne(partition, wanted, record)) taken++;
          if (wanted.size === 0) full.abort();
        },
        signal,
      );
      if (signal.aborted || taken > 0) continue;
      if (result.ok) return events.fault(parkedRecordsGone(partition.number, from));
      if (result.problem !== undefined) return events.fault(result.problem);
      const retryInMs = backoffMs(++failures, random, retryBackoff);
      observe({ kind: "log-failed", operation: "take up parked records", reason: result.reason, retryInMs });
      await sleep(clock, retryInMs, partition.lost.signal);
    }
    // In the same turn as the last look: what settles from here on looks again.
    partition.refilling = false;
  }

  /** True when this record is the next of a tenant that wants one. */
  function takeOne(partition: OwnedPartition, wanted: Map<string, number>, record: LogRecord): boolean {
    const tenantId = parkedTenantOf(record);
    const count = wanted.get(tenantId);
    if (count === undefined || firstParked(partition.parking, tenantId) !== record.offset) return false;
    if (count === 1) wanted.delete(tenantId);
    else wanted.set(tenantId, count - 1);
    events.take(partition, takeUp(partition.parking, tenantId, record.offset), record);
    return true;
  }

  /** How many records each tenant should take up now; a tenant is served again once half of its share is done. */
  function wantedOf(partition: OwnedPartition): Map<string, number> {
    const wanted = new Map<string, number>();
    if (!isOwned(partition)) return wanted;
    const share = Math.floor(settings.windowRecords / 2 / partition.parking.tenants.size);
    for (const tenantId of partition.parking.tenants.keys()) {
      if (firstParked(partition.parking, tenantId) === null) continue;
      const want = isStuck(tenantId) ? 1 : Math.max(1, Math.min(takenMax, share)); // 2
      const here = partition.tenants.get(tenantId)?.size ?? 0;
      if (here <= want / 2) wanted.set(tenantId, want - here);
    }
    return wanted;
  }
}

/** What came from the retry topic stays at its place there, so what follows it in the lane may leave behind it. */
function leaving(lane: readonly Work[]): readonly Work[] {
  const lastTakenUp = lane.findLastIndex(({ topic }) => topic === "retry");
  return lastTakenUp < 0 && lane[0]?.busy ? [] : lane.slice(lastTakenUp + 1); // 1
}

function withdraw(work: Work): void {
  const { lanes, tenants } = work.partition;
  work.withdrawn = true;
  const lane = lanes.get(work.lane) ?? [];
  const at = lane.indexOf(work);
  assert(at >= 0, "only what is in a lane leaves it");
  lane.splice(at, 1);
  if (lane.length === 0) lanes.delete(work.lane);
  const works = tenants.get(work.enrollment.tenantId);
  works?.delete(work);
  if (works?.size === 0) tenants.delete(work.enrollment.tenantId);
}
