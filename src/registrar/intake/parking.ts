/**
 * The records of one partition that wait in `connector.enrolled.retry`, by tenant: offsets only, so that a million of
 * them cost little. Pure bookkeeping.
 *
 * 1. INV-ORDER: a tenant's parked records are taken up in the order in which they were parked.
 * 2. While any of a tenant's records are parked or on their way there, its new ones are parked too, except behind
 *    earlier ones of the same lane that never left the window: order is kept.
 * 3. INV-DURABLE-OUTCOME: parkedThrough never passes a record that is parked or taken up but not settled.
 * 4. INV-DURABLE-OUTCOME: a record on its way counts as arrived when its copy was read in the retry topic, not when the
 *    append was acknowledged. INV-KNOWN-LOG: a copy that was acknowledged at an offset which the reading has passed, and
 *    was not there, is lost.
 */
import assert from "node:assert/strict";
import { isUuid } from "../../domain/uuid.ts";
import type { LogRecord } from "../../ports.ts";
import type { Slot } from "./window.ts";

export interface Parking {
  readonly tenants: Map<string, ParkedTenant>;
  /** Taken up, not settled. */
  readonly taken: Set<Slot>;
  /** Acknowledged, and not read yet. */
  readonly awaited: Set<Awaited>;
  /** After the last one that is settled and stays tainted, as in the window. */
  taintedThrough: number;
  /** Offset in the retry partition that is read next. */
  nextOffset: number;
  /** Of the last acknowledged commit. */
  attemptedThrough: number;
}

export interface ParkedTenant {
  /** Offsets in rising order, from `head` on. */
  offsets: number[];
  head: number;
  /**
   * By offset in the enrolled topic: records that were handed to the log for parking and not seen in the retry topic yet.
   * Null: not acknowledged.
   */
  readonly onTheWay: Map<number, Awaited | null>;
}

export interface Awaited {
  readonly enrolledOffset: number;
  /** Where its append was acknowledged; null: the log does not say. */
  readonly retryOffset: number | null;
  /** Its copy was read. */
  readonly arrive: () => void;
  /** Its copy is lost: appends another one. */
  readonly sendAgain: () => void;
}

export function createParking(startOffset: number): Parking {
  return {
    tenants: new Map(),
    taken: new Set(),
    awaited: new Set(),
    taintedThrough: startOffset,
    nextOffset: startOffset,
    attemptedThrough: startOffset,
  };
}

/** The worker decided to park this tenant's record at `enrolledOffset`. */
export function sendToPark(parking: Parking, tenantId: string, enrolledOffset: number): void {
  const { onTheWay } = tenantOf(parking, tenantId);
  const before = onTheWay.get(enrolledOffset) ?? null;
  if (before !== null) parking.awaited.delete(before);
  onTheWay.set(enrolledOffset, null);
}

/** The log has stored it. False: its copy was read already. */
export function acknowledge(parking: Parking, tenantId: string, awaited: Awaited): boolean {
  const onTheWay = parking.tenants.get(tenantId)?.onTheWay;
  if (!onTheWay?.has(awaited.enrolledOffset)) return false;
  onTheWay.set(awaited.enrolledOffset, awaited);
  parking.awaited.add(awaited);
  return true;
}

/** Copies that the reading has passed and did not find, and those of `beyondEnd` that did not arrive meanwhile. */
export function lostCopies({ awaited, nextOffset }: Parking, beyondEnd: readonly Awaited[]): Awaited[] {
  const isPassed = ({ retryOffset }: Awaited) => retryOffset !== null && retryOffset < nextOffset;
  return [...awaited].filter((one) => isPassed(one) || beyondEnd.includes(one)); // INV-KNOWN-LOG
}

/** A record of this tenant was read in the retry topic, and stays there for now. */
export function note(parking: Parking, tenantId: string, offset: number): void {
  assert(offset >= parking.nextOffset, `offset ${offset} noted after ${parking.nextOffset}`);
  tenantOf(parking, tenantId).offsets.push(offset); // INV-ORDER
  parking.nextOffset = offset + 1;
}

/**
 * The record that was noted last came from `enrolledOffset` of this partition's enrolled topic. A second copy of it, from an
 * append that was repeated, changes nothing more. Returns what has arrived with it, if that was awaited.
 */
export function noteArrival(parking: Parking, tenantId: string, enrolledOffset: number): Awaited | null {
  const tenant = tenantOf(parking, tenantId);
  const arrived = tenant.onTheWay.get(enrolledOffset) ?? null;
  tenant.onTheWay.delete(enrolledOffset);
  if (arrived !== null) parking.awaited.delete(arrived);
  return arrived; // INV-DURABLE-OUTCOME
}

/** Must a new record of this tenant be parked? */
export function isParked(parking: Parking, tenantId: string): boolean {
  return parking.tenants.has(tenantId); // 2, INV-ORDER
}

export function firstParked(parking: Parking, tenantId: string): number | null {
  const tenant = parking.tenants.get(tenantId);
  return tenant?.offsets[tenant.head] ?? null;
}

/** Takes up the tenant's first parked record. */
export function takeUp(parking: Parking, tenantId: string, offset: number): Slot {
  const tenant = parking.tenants.get(tenantId);
  assert(tenant !== undefined && tenant.offsets[tenant.head] === offset, "taken up out of order"); // INV-ORDER
  tenant.head++;
  if (tenant.head >= 1024 || tenant.head === tenant.offsets.length) {
    tenant.offsets = tenant.offsets.slice(tenant.head);
    tenant.head = 0;
  }
  if (tenant.offsets.length === 0 && tenant.onTheWay.size === 0) parking.tenants.delete(tenantId);
  const slot = { offset, settled: false, tainted: false };
  parking.taken.add(slot);
  return slot;
}

export function settleTaken(parking: Parking, slot: Slot, staysTainted = false): void {
  if (staysTainted) parking.taintedThrough = Math.max(parking.taintedThrough, slot.offset + 1);
  assert(parking.taken.delete(slot), `offset ${slot.offset} settled twice`);
}

export function parkedThrough(parking: Parking): number {
  let through = parking.nextOffset;
  for (const { offset } of parking.taken) through = Math.min(through, offset); // INV-DURABLE-OUTCOME
  for (const { offsets, head } of parking.tenants.values())
    through = Math.min(through, offsets[head] ?? through); // INV-DURABLE-OUTCOME
  return through;
}

/** The least attemptedThrough that covers what may have been carried out. */
export function parkedTaintedThrough(parking: Parking): number {
  let through = Math.max(parkedThrough(parking), parking.taintedThrough);
  for (const { offset, tainted } of parking.taken) if (tainted) through = Math.max(through, offset + 1);
  return through;
}

export function parkedCount(parking: Parking): number {
  let count = 0;
  for (const { offsets, head, onTheWay } of parking.tenants.values())
    count += offsets.length - head + onTheWay.size;
  return count;
}

/** The tenant that a record of the retry topic waits for; one that none of us wrote waits for "". */
export function parkedTenantOf(record: LogRecord): string {
  const key = record.key === null ? "" : Buffer.from(record.key).toString("latin1");
  return isUuid(key) ? key.toLowerCase() : "";
}

function tenantOf(parking: Parking, tenantId: string): ParkedTenant {
  let tenant = parking.tenants.get(tenantId);
  if (tenant === undefined) {
    tenant = { offsets: [], head: 0, onTheWay: new Map() };
    parking.tenants.set(tenantId, tenant);
  }
  return tenant;
}
