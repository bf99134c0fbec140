/**
 * The records of one input partition between the committed offset and the reading position. Pure bookkeeping.
 *
 * 1. INV-DURABLE-OUTCOME: settledThrough never passes an unsettled record: all below it is settled, durably.
 * 2. INV-WATERMARK: a record may be attempted only below attemptedThrough, the watermark of the last acknowledged commit.
 * 3. Offsets enter in rising order; gaps in them are no records.
 */
import assert from "node:assert/strict";

export interface Slot {
  readonly offset: number;
  settled: boolean;
  /** A create of it may have been carried out without our knowing. */
  tainted: boolean;
}

export interface Window {
  slots: Slot[];
  /** Index in `slots` of the first that is not settled. */
  head: number;
  /** Offset that is read next. */
  nextOffset: number;
  unsettled: number;
  /** Of the last acknowledged commit. */
  attemptedThrough: number;
}

export function createWindow(startOffset: number): Window {
  return { slots: [], head: 0, nextOffset: startOffset, unsettled: 0, attemptedThrough: startOffset };
}

export function enter(window: Window, offset: number): Slot {
  assert(offset >= window.nextOffset, `offset ${offset} entered after ${window.nextOffset}`); // 3
  const slot = { offset, settled: false, tainted: false };
  window.slots.push(slot);
  window.nextOffset = offset + 1;
  window.unsettled++;
  return slot;
}

/** `staysTainted`: until it is committed the next owner has to look for what was made of it. */
export function settle(window: Window, slot: Slot, staysTainted = false): void {
  assert(!slot.settled, `offset ${slot.offset} settled twice`);
  slot.settled = true;
  slot.tainted = staysTainted;
  window.unsettled--;
  while (window.slots[window.head]?.settled) window.head++; // INV-DURABLE-OUTCOME
  if (window.head >= 1024 || window.head === window.slots.length) {
    window.slots.splice(0, window.head);
    window.head = 0;
  }
}

export function settledThrough(window: Window): number {
  return window.slots[window.head]?.offset ?? window.nextOffset; // INV-DURABLE-OUTCOME
}

/** The least attemptedThrough that covers what may have been carried out: what a clean shutdown commits. */
export function taintedThrough(window: Window): number {
  const last = window.slots.findLast((slot) => slot.tainted);
  const through = settledThrough(window);
  return last === undefined ? through : Math.max(through, last.offset + 1);
}

/**
 * May another record enter? At most `limit` unsettled ones are held; settled ones behind the first unsettled are kept
 * only as marks, but bounded too.
 */
export function hasRoom(window: Window, limit: number): boolean {
  return window.unsettled < limit && window.slots.length - window.head < limit * marksPerRecord;
}

const marksPerRecord = 8;
