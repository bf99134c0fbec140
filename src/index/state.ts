/**
 * What an enrollment's state is, from what was read of it so far, in whatever order the topics were read.
 *
 * 1. Registered is final. A dead letter that was replayed and then registered is both, and counts as registered.
 * 2. A dead letter settles its own record and all before it in that partition. What came later waits.
 * 3. Offsets of two partitions say nothing about each other (a record that was moved home, a changed partition count): there the
 *    times decide.
 */
import type { Position } from "../observer.ts";
import type { EnrollmentState } from "./enrollment-index.ts";

/** A record of the enrollment, by where it was first stored. */
export interface Seen {
  readonly at: Position;
  /** When it was produced, or refused; 0: unknown. */
  readonly atMs: number;
}

export function stateOf(isRegistered: boolean, event: Seen | null, letter: Seen | null): EnrollmentState {
  if (isRegistered) return "registered"; // 1
  if (letter === null) return "waiting";
  return event === null || settles(letter, event) ? "refused" : "waiting";
}

/** Whether the event `next` is the one to go by, not `known`. `home`: the partition of its tenant. */
export function isLaterEvent(next: Seen, known: Seen, home: number): boolean {
  if (isSamePlace(next.at, known.at)) return next.at.offset > known.at.offset;
  const isHome = next.at.partition === home;
  // A record elsewhere is moved home: its copy is the one that gets an outcome.
  if (isHome !== (known.at.partition === home)) return isHome;
  return next.atMs > known.atMs;
}

/** Whether of two dead letters of one enrollment `next` is the latest one. */
export function isLaterLetter(next: Seen, known: Seen): boolean {
  if (isSamePlace(next.at, known.at)) return next.at.offset > known.at.offset;
  return next.atMs > known.atMs;
}

export function isSamePosition(a: Position, b: Position): boolean {
  return isSamePlace(a, b) && a.offset === b.offset;
}

function settles(letter: Seen, event: Seen): boolean {
  if (isSamePlace(letter.at, event.at)) return letter.at.offset >= event.at.offset; // 2
  return letter.atMs >= event.atMs; // 3
}

function isSamePlace(a: Position, b: Position): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}
