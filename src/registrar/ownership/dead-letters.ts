/**
 * Which records of a partition stand in the dead-letter topic already, where the stored commits don't say so yet.
 *
 * 1. Each commit says from which offset of the dead-letter topic the next owner must look: every dead letter of a record that
 *    this commit does not cover stands there or later. A dead letter that is on its way counts from where the topic ended when
 *    it was sent.
 * 2. INV-DURABLE-OUTCOME: what is found there has its outcome. To look for an object of it could find one that was made for
 *    another enrollment.
 * 3. It is the same record only if its place and its bytes are the same, the event's attributes in headers among them: a topic that
 *    was made again counts from 0, and one that lost its end continues from there.
 */
import { eventHash, readDeadLetter } from "../../domain/dead-letter.ts";
import { originOf, positionId } from "../../domain/origin.ts";
import { type InputTopic, inputTopics, type LogRecord } from "../../ports.ts";
import type { TakeOver } from "./take-over.ts";

export interface DeadLetters {
  /** The dead-letter topic ended there at least, as far as this worker knows. */
  end: number;
  /** What no commit covers yet: sent by this worker, or by an earlier owner. */
  readonly open: Record<InputTopic, OpenDeadLetter[]>;
  /** Where those of earlier owners stand, or later. */
  readonly inheritedFrom: number;
  /** Of earlier owners, and of parked records: hash of the event by position id. */
  readonly found: Map<string, string>;
}

interface OpenDeadLetter {
  readonly from: number;
  /** A commit past it ends the need to look. */
  readonly offset: number;
}

/** More than these are taken for unknown: then they are looked up in Graph, as suspects are. */
const foundMax = 100_000;

/** `end`: of the dead-letter topic at the take-over. */
export function createDeadLetters(
  plans: Readonly<Record<InputTopic, Pick<TakeOver, "startAt" | "suspectsBelow" | "deadLettersFrom">>>,
  end: number,
): DeadLetters {
  const inherited = (topic: InputTopic): OpenDeadLetter[] => {
    const { startAt, suspectsBelow, deadLettersFrom } = plans[topic];
    const from = Math.min(deadLettersFrom ?? end, end);
    return suspectsBelow > startAt ? [{ from, offset: suspectsBelow - 1 }] : [];
  };
  const open = { enrolled: inherited("enrolled"), retry: inherited("retry") };
  const inheritedFrom = Math.min(end, ...inputTopics.map((topic) => plans[topic].deadLettersFrom ?? end));
  return { end, open, inheritedFrom, found: new Map() };
}

/** The record is about to be dead-lettered. */
export function noteSent({ open, end }: DeadLetters, topic: InputTopic, offset: number): void {
  open[topic].push({ from: end, offset }); // 1
}

/** A parked record in doubt, at this offset of the retry topic, may have been dead-lettered at the place that it came from. */
export function noteParkedInDoubt({ open, inheritedFrom }: DeadLetters, offset: number): void {
  const last = open.retry.at(-1);
  if (last?.from === inheritedFrom && last.offset <= offset) open.retry.pop();
  open.retry.push({ from: inheritedFrom, offset }); // 1
}

export function noteStored(letters: DeadLetters, offset: number | null): void {
  if (offset !== null) letters.end = Math.max(letters.end, offset + 1);
}

/** For the commit of `committedOffset`. */
export function lookFrom({ open, end }: DeadLetters, topic: InputTopic, committedOffset: number): number {
  open[topic] = open[topic].filter(({ offset }) => offset >= committedOffset);
  return open[topic].reduce((least, { from }) => Math.min(least, from), end);
}

export function noteFound({ found }: DeadLetters, record: LogRecord): void {
  const letter = readDeadLetter(record);
  if (letter !== null && found.size < foundMax) found.set(letter.id, eventHash(record));
}

/** A record of the retry topic was dead-lettered here; a second copy of it may be there. */
export function noteOwn({ found }: DeadLetters, record: LogRecord): void {
  if (found.size < foundMax) found.set(positionId(originOf(record)), eventHash(record));
}

/** Does the topic hold a dead letter of this very record? */
export function isDeadLettered({ found }: DeadLetters, record: LogRecord): boolean {
  const hash = found.size === 0 ? undefined : found.get(positionId(originOf(record)));
  return hash !== undefined && hash === eventHash(record); // 3, INV-DURABLE-OUTCOME
}
