/**
 * Keeps slow tenants out of the others' way: moves their records to `connector.enrolled.retry`, and takes them up
 * again as the tenant can. Slow: paused, blocked, its reads failing, or with more records here than it may send within a second.
 *
 * 1. Records leave a window only when it is full, and then all of a slow tenant's lanes whose head is not in work.
 *    INV-ORDER: a lane leaves as a whole; would one of its records stay, a crash could bring it back behind those that
 *    left.
 * 2. At most `wantOf` parked records of a tenant are taken up at a time; a blocked tenant has one, which probes.
 * 3. A paused tenant's lanes leave immediately, except for those whose head is in doubt: what has begun is finished first. No
 *    parked record of it is taken up.
 * 4. A full window may hold records of as many tenants, and room is made each time that one leaves: those tenants are looked at of
 *    whose records any changed, or has failed. What makes a tenant slow changes a record of its. All are looked at now and then.
 * 5. INV-ISOLATION: a lane whose head keeps failing leaves too, whatever its tenant may send: else one record, always
 *    refused a clear answer, would delay all that is behind a full window.
 */

import { backoffMs } from "../../policy/backoff.ts";
import type { LogRecord } from "../../ports.ts";
import { sleep } from "../../sleep.ts";
import { parkedCopyLost, parkedRecordsGone } from "../fault.ts";
import { type Awaited, firstParked, lostCopies, parkedTenantOf, takeUp } from "../intake/parking.ts";
import { isBusy, type Stage } from "../intake/stage.ts";
import { isOwned, type OwnedPartition, type Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import type { Flow } from "./flow.ts";
import type { Intake } from "./intake.ts";

export interface Parker {
  /** The window is full: parks what slow tenants hold in it. */
  makeRoom(partition: OwnedPartition): void;
  /** Parks what paused tenants hold in the window. */
  parkPaused(partition: OwnedPartition): void;
  /** Looks for copies of parked records that the log has lost before they were read. `beyondEnd`: of these it is known. */
  checkParked(partition: OwnedPartition, beyondEnd?: readonly Awaited[]): void;
  /** Takes up parked records of tenants that can continue. */
  refill(partition: OwnedPartition): void;
}

const slowWithinMs = 1_000;
const lookAtAllEveryMs = 5_000;
const heldUpMs = 10_000;
const takenMax = 200;
const retryBackoff = { baseMs: 200, capMs: 5_000 };

export function createParker(
  { ports, settings, outside, raise }: Pick<Core, "ports" | "settings" | "outside" | "raise">,
  { tenants, readBack }: Pick<Flow, "tenants" | "readBack">,
  intake: Pick<Intake, "takeUp">,
): Parker {
  const { log, clock, random, observe } = ports;
  const isPaused = (tenantId: string) => settings.tenants.standingOf(tenantId) === "paused";
  return { makeRoom, parkPaused, checkParked, refill };

  function makeRoom(partition: OwnedPartition): void {
    for (const tenantId of toLookAt(partition, clock.nowMs())) {
      const works = partition.tenants.get(tenantId);
      if (works === undefined) continue;
      const isSlowNow = isSlow(tenantId, works.size);
      const leave = new Set<readonly Work[]>();
      for (const { lane: name, stage } of works) {
        if (hasFailed(stage)) partition.touched.add(tenantId); // 4
        const lane = isSlowNow || hasFailed(stage) ? (partition.lanes.get(name) ?? []) : [];
        if (isSlowNow || isHeldUp(lane, clock.nowMs())) leave.add(lane); // INV-ISOLATION
      }
      for (const work of [...leave].flatMap(leaving)) raise(work, { kind: "room" });
    }
  }

  function parkPaused(partition: OwnedPartition): void {
    for (const [tenantId, works] of partition.tenants) {
      if (!isPaused(tenantId)) continue;
      const lanes = new Set([...works].map(({ lane }) => partition.lanes.get(lane) ?? []));
      const leave = [...lanes].filter(([head]) => head?.stage.doubt === null);
      for (const work of leave.flatMap(leaving)) raise(work, { kind: "room" }); // 3
    }
  }

  function isSlow(tenantId: string, here: number): boolean {
    return isStuck(tenantId) || here > tenants.capacityWithin(tenantId, slowWithinMs);
  }

  /** None of its records can continue for now, or only a probe. */
  function isStuck(tenantId: string): boolean {
    return isPaused(tenantId) || tenants.isBlocked(tenantId) || readBack.isStalled(tenantId);
  }

  function checkParked(partition: OwnedPartition, beyondEnd: readonly Awaited[] = []): void {
    const lost = lostCopies(partition.parking, beyondEnd);
    const [first] = lost;
    if (first === undefined) return;
    if (settings.onRetentionGap === "stop") return outside.fault(parkedCopyLost(partition.number, first)); // INV-KNOWN-LOG
    for (const { sendAgain } of lost) sendAgain();
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
      if (result.ok) return outside.fault(parkedRecordsGone(partition.number, from));
      if (result.problem !== undefined) return outside.fault(result.problem);
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
    intake.takeUp(partition, takeUp(partition.parking, tenantId, record.offset), record);
    return true;
  }

  /** How many records each tenant should take up now; a tenant is served again once half of its share is done. */
  function wantedOf(partition: OwnedPartition): Map<string, number> {
    const wanted = new Map<string, number>();
    if (!isOwned(partition)) return wanted;
    const share = Math.floor(settings.windowRecords / 2 / partition.parking.tenants.size);
    for (const tenantId of partition.parking.tenants.keys()) {
      if (firstParked(partition.parking, tenantId) === null || isPaused(tenantId)) continue; // 3
      const want = isStuck(tenantId) ? 1 : Math.max(1, Math.min(takenMax, share)); // 2
      const here = partition.tenants.get(tenantId)?.size ?? 0;
      if (here <= want / 2) wanted.set(tenantId, want - here);
    }
    return wanted;
  }
}

/** Tenants that may have become slow since they were looked at. */
function toLookAt(partition: OwnedPartition, nowMs: number): Iterable<string> {
  const { tenants: all, touched } = partition;
  const some = [...touched];
  touched.clear();
  if (nowMs - partition.allLookedAtMs < lookAtAllEveryMs) return some; // 4
  partition.allLookedAtMs = nowMs;
  return all.keys();
}

/** Its head has failed, and for so long that others behind it should not wait for it. */
function isHeldUp([head]: readonly Work[], nowMs: number): boolean {
  return head !== undefined && hasFailed(head.stage) && nowMs - head.enteredAtMs > heldUpMs;
}

/** Or is under way. */
function hasFailed({ attempts, doubt }: Stage): boolean {
  return attempts > 0 || doubt !== null;
}

/** What came from the retry topic stays at its place there, so what follows it in the lane may leave behind it. */
function leaving(lane: readonly Work[]): readonly Work[] {
  const lastTakenUp = lane.findLastIndex(({ topic }) => topic === "retry");
  return lastTakenUp < 0 && lane[0] !== undefined && isBusy(lane[0].stage) ? [] : lane.slice(lastTakenUp + 1); // INV-ORDER
}
