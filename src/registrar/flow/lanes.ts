/**
 * Lanes: the records of one tenant and machine, in the order in which they came. Bookkeeping of a partition's lanes and of
 * which records each tenant has in work.
 *
 * 1. INV-ORDER: only the first of a lane is worked on; the others wait behind it.
 */
import assert from "node:assert/strict";
import type { OwnedPartition, Work } from "../ownership/partition.ts";

/** True: it is the first of its lane. */
export function enterLane(work: Work): boolean {
  const { lanes, tenants } = work.partition;
  const { tenantId } = work.enrollment;
  const works = tenants.get(tenantId);
  if (works === undefined) tenants.set(tenantId, new Set([work]));
  else works.add(work);
  const lane = lanes.get(work.lane);
  if (lane === undefined) lanes.set(work.lane, [work]);
  else lane.push(work); // INV-ORDER
  return lane === undefined;
}

/** The first of a lane is done; returns the next one. */
export function leaveLane(work: Work): Work | undefined {
  const { lanes } = work.partition;
  forget(work);
  const lane = lanes.get(work.lane);
  assert(lane?.[0] === work, "only the head of a lane is worked on"); // INV-ORDER
  lane.shift();
  if (lane.length === 0) lanes.delete(work.lane);
  return lane[0];
}

/** Out of the middle of its lane, to be parked. */
export function withdraw(work: Work): void {
  const { lanes } = work.partition;
  const lane = lanes.get(work.lane) ?? [];
  const at = lane.indexOf(work);
  assert(at >= 0, "only what is in a lane leaves it");
  lane.splice(at, 1);
  if (lane.length === 0) lanes.delete(work.lane);
  forget(work);
}

/** Does the last of this lane stand in the enrolled topic? Then what follows it there may line up behind it. */
export function isFollowed(partition: OwnedPartition, lane: string): boolean {
  return partition.lanes.get(lane)?.at(-1)?.topic === "enrolled";
}

/** No other record of its tenant was posted and is still here. */
export function isAlone(work: Work): boolean {
  for (const peer of work.partition.tenants.get(work.enrollment.tenantId) ?? [])
    if (peer !== work && peer.stage.attempts > 0) return false;
  return true;
}

function forget(work: Work): void {
  const { tenants, touched } = work.partition;
  const { tenantId } = work.enrollment;
  const works = tenants.get(tenantId);
  works?.delete(work);
  if (works?.size !== 0) return;
  tenants.delete(tenantId);
  touched.delete(tenantId);
}
