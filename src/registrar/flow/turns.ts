/**
 * Gives records their turn: the first of a lane may continue, and learns what is known by then.
 *
 * 1. A lane advances only when its first record has left it, one after the other: a long lane of duplicates does not recurse deeply.
 */

import { isRegistered } from "../ledger/ledger.ts";
import { isDeadLettered } from "../ownership/dead-letters.ts";
import { trackOf, type Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import type { Turn } from "./life-events.ts";

export interface Turns {
  /** `isKnown`: false if it was looked up in the ledger just now. */
  take(work: Work, kind: Turn["kind"], isKnown?: false): void;
  /** All that waited for the same thing. */
  takeAll(waiting: Set<Work>, kind: Turn["kind"]): void;
  /** The next of a lane whose first has left. */
  goOnWith(next: Work): void;
}

export function createTurns({ settings, shown, raise }: Pick<Core, "settings" | "shown" | "raise">): Turns {
  const heads: Work[] = [];
  let isGoingOn = false;
  return { take, takeAll, goOnWith };

  function take(work: Work, kind: Turn["kind"], isKnown?: false): void {
    const { partition, idempotencyKey, slot, topic, record } = work;
    const standing = settings.tenants.standingOf(work.enrollment.tenantId);
    raise(work, {
      kind,
      standing,
      // What is before it in its lane, or another owner, may have settled it meanwhile.
      isRegistered: isKnown ?? isRegistered(partition.ledger, idempotencyKey),
      doubt: partition.doubts.get(idempotencyKey) ?? null,
      // An earlier owner may have dead-lettered it.
      isDeadLettered: isDeadLettered(partition.deadLetters, record),
      isReleased: partition.suspectsReleased,
      isPromised: slot.offset < trackOf(partition, topic).attemptedThrough && isSaidRightly(work), // INV-WATERMARK
    });
  }

  /** A commit that may be stored must not say that ids are honoured while creates go to a cloud that has not shown it. */
  function isSaidRightly({ partition, topic, enrollment }: Work): boolean {
    return !partition.saysHonoured.has(topic) || shown.of(enrollment.tenantId).known.shown.honoursIds; // INV-DOUBT
  }

  function takeAll(waiting: Set<Work>, kind: Turn["kind"]): void {
    const works = [...waiting];
    waiting.clear();
    for (const work of works) take(work, kind);
  }

  function goOnWith(next: Work): void {
    heads.push(next);
    if (isGoingOn) return; // 1
    isGoingOn = true;
    for (let head = heads.shift(); head !== undefined; head = heads.shift()) take(head, "first");
    isGoingOn = false;
  }
}
