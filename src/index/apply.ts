/**
 * One record of a topic into the rows. Every record may come twice (the log holds it twice, or a crash repeats it): the second time
 * changes nothing.
 *
 * 1. Of registered records of one key the earliest counts, wherever it was read: workers go by the first Graph id too.
 * 2. An event that is not an enrollment gets no row of its own: it appears as a dead letter, under the dead letter's id.
 */
import { type DeadLetter, readDeadLetter } from "../domain/dead-letter.ts";
import { homePartition } from "../domain/murmur2.ts";
import { originOf } from "../domain/origin.ts";
import { recordTimeMs } from "../domain/record-time.ts";
import { replayedFrom, tenantOfKey } from "../domain/replayed-from.ts";
import type { LogRecord } from "../ports.ts";
import * as columns from "./columns.ts";
import { readFacts } from "./registered-facts.ts";
import { emptyRow, type NewRow, type Row, states } from "./rows.ts";
import { isLaterEvent, isLaterLetter, isSamePosition, type Seen, stateOf } from "./state.ts";
import type { Store } from "./store.ts";
import { type Tallies, tenantTotals } from "./tallies.ts";
import { keyBytes, topicNumber } from "./values.ts";

export interface Applied {
  /** Called with each key for which an outcome was read. */
  readonly onOutcome: (key: string) => void;
  readonly partitionCount: number;
}

export function applyRecord(store: Store, record: LogRecord, applied: Applied): void {
  if (record.topic === "registered") applyRegistered(store, record, applied);
  else if (record.topic === "dlq") applyDeadLetter(store, record, applied);
  else applyInput(store, record, applied);
}

function applyRegistered(store: Store, record: LogRecord, { onOutcome }: Applied): void {
  const read = readFacts(record);
  if (read.kind === "unreadable") return store.tallies.unreadable();
  if (read.kind === "tombstone") return removeRegistered(store, keyBytes(read.key), record);
  const before = store.rows.byKey(keyBytes(read.facts.key));
  const registered = columns.registeredColumns(store.texts, read.facts, record);
  if (before === null) {
    insert(store, registered);
    store.tallies.happened("registered", read.facts.registeredAtMs);
  } else if (before.graph === null) {
    change(store, before, { ...before, ...registered, letter: before.letter, code: before.code });
    setLettersOpen(store, before, false);
    store.tallies.happened("registered", read.facts.registeredAtMs);
  } else if (columns.isEarlier(registered, before)) {
    change(store, before, { ...before, ...registered, letter: before.letter, code: before.code }); // 1
    return;
  } else return;
  onOutcome(read.facts.key);
}

/** The state is again what it is without: as if the record had never been. */
function removeRegistered(store: Store, key: Uint8Array, tombstone: LogRecord): void {
  const before = store.rows.byKey(key);
  if (before === null || before.graph === null) return;
  if (before.registered_partition !== tombstone.partition) return;
  if (before.registered_offset! > tombstone.offset) return;
  const letter = before.letter === null ? null : store.letters.byNumber(before.letter);
  const event = columns.eventSeen(before);
  const state = stateOf(false, event, letter === null ? null : columns.letterSeen(letter));
  const { event_topic, event_partition, event_offset } = before;
  setLettersOpen(store, before, true);
  const place = { place_topic: event_topic, place_partition: event_partition, place_offset: event_offset };
  change(store, before, {
    ...before,
    ...columns.notRegistered,
    ...(state === "waiting" ? place : columns.noPlace),
    state: states[state],
    at_ms: state === "waiting" ? (before.event_ms ?? 0) : (letter?.at_ms ?? 0),
  });
}

/** Numbers that fit the columns, and that come out as they went in. */
function isStorable({ attempts, timeMs, at }: DeadLetter): boolean {
  return [attempts, timeMs, at.partition, at.offset].every(
    (number) => Number.isSafeInteger(number) && number >= 0,
  );
}

/** Those that were not replayed: as the enrollment is registered, or isn't any more. */
function setLettersOpen({ letters, tallies }: Store, { number: of, letter }: Row, isOpen: boolean): void {
  if (letter === null) return;
  for (const { number, code } of letters.unreplayedOf(of)) {
    letters.setOpen(number, isOpen);
    tallies.count("open-letters", code, isOpen ? 1 : -1);
  }
}

function applyDeadLetter(store: Store, record: LogRecord, { onOutcome }: Applied): void {
  const { rows, letters, texts, tallies } = store;
  const letter = readDeadLetter(record);
  if (letter === null || !isStorable(letter)) return tallies.unreadable();
  if (letters.byId(letter.id) !== null) return;
  const content = columns.contentOf(record);
  const key = content === null ? null : keyBytes(content.key);
  const code = texts.numberOf(letter.refusal.code);
  const before = (key === null ? null : rows.byKey(key)) ?? newRefused(store, record, content);
  const isOpen = before.graph === null;
  const { partition, offset } = record;
  const number = letters.insert(letter, { enrollment: before.number, code, isOpen, partition, offset });
  tallies.count("letters", code, 1);
  if (isOpen) tallies.count("open-letters", code, 1);
  tallies.happened("refused", letter.timeMs);
  const predecessor = replayedFrom(record);
  if (predecessor !== null) markReplayed(store, predecessor, key);
  const seen: Seen = { at: letter.at, atMs: letter.timeMs };
  const known = before.letter === null ? null : letters.byNumber(before.letter);
  if (known !== null && !isLaterLetter(seen, columns.letterSeen(known))) return;
  const state = stateOf(before.graph !== null, columns.eventSeen(before), seen);
  const isRefused = state === "refused";
  change(store, before, {
    ...before,
    ...(isRefused && content !== null ? columns.eventNames(texts, content.enrollment) : {}),
    ...(isRefused ? columns.noPlace : {}),
    state: states[state],
    at_ms: isRefused ? letter.timeMs : before.at_ms,
    letter: number,
    code,
  });
  if (content !== null && isRefused) onOutcome(content.key);
}

function newRefused(store: Store, record: LogRecord, content: columns.Content | null): Row {
  const tenant = tenantOfKey(record);
  const row: NewRow =
    content === null
      ? { ...emptyRow, tenant: tenant === null ? null : store.texts.numberOf(tenant), state: states.refused } // 2
      : { ...emptyRow, ...columns.contentColumns(store.texts, content), state: states.refused };
  return insert(store, row);
}

function applyInput(store: Store, record: LogRecord, { partitionCount }: Applied): void {
  const { rows, texts, tallies } = store;
  const producedMs = recordTimeMs(record.timestampMs) ?? 0;
  const isEnrolled = record.topic === "enrolled";
  if (isEnrolled) tallies.happened("events", producedMs);
  const content = columns.contentOf(record);
  const predecessor = replayedFrom(record);
  if (predecessor !== null) markReplayed(store, predecessor, content === null ? null : keyBytes(content.key));
  if (content === null) return; // 2
  const before = rows.byKey(keyBytes(content.key));
  if (before !== null && before.graph !== null) return;
  const seen: Seen = { at: originOf(record), atMs: producedMs };
  const place = columns.placeColumns(record);
  if (before === null) {
    const event = { ...columns.contentColumns(texts, content), ...columns.eventColumns(seen) };
    insert(store, { ...emptyRow, ...event, ...place, state: states.waiting, at_ms: producedMs });
    return;
  }
  const known = columns.eventSeen(before);
  const isKnown = known !== null && isSamePosition(known.at, seen.at);
  if (isKnown && (isEnrolled || before.state !== states.waiting || isParkedLater(before, record))) return;
  if (isKnown) return change(store, before, { ...before, ...place });
  const home = homePartition(content.enrollment.tenantId, partitionCount);
  if (known !== null && !isLaterEvent(seen, known, home)) return;
  const letter = before.letter === null ? null : store.letters.byNumber(before.letter);
  const state = stateOf(false, seen, letter === null ? null : columns.letterSeen(letter));
  const isWaiting = state === "waiting";
  const waiting = { ...columns.eventNames(texts, content.enrollment), ...place, at_ms: producedMs };
  change(store, before, {
    ...before,
    ...columns.eventColumns(seen),
    ...(isWaiting ? waiting : {}),
    state: states[state],
  });
}

/** It stands in the retry topic, at this record or after it. */
function isParkedLater({ place_topic, place_partition, place_offset }: Row, record: LogRecord): boolean {
  if (place_topic !== topicNumber("retry") || place_partition !== record.partition) return false;
  return place_offset! >= record.offset;
}

function markReplayed({ rows, letters, tallies }: Store, id: string, key: Uint8Array | null): void {
  const letter = letters.byId(id);
  if (letter === null || letter.replayed === 1) return;
  const of = rows.byNumber(letter.enrollment)?.key ?? null;
  // Producers may write this header too: it counts for the same enrollment only.
  if (of === null ? key !== null : key === null || Buffer.compare(of, key) !== 0) return;
  letters.markReplayed(letter.number);
  if (letter.is_open === 1) tallies.count("open-letters", letter.code, -1);
}

function insert({ rows, tallies }: Store, row: NewRow): Row {
  countState(tallies, row, 1);
  return { ...row, number: rows.insert(row) };
}

function change({ rows, tallies }: Store, before: Row, after: Row): void {
  if (before.state !== after.state || before.tenant !== after.tenant) {
    countState(tallies, before, -1);
    countState(tallies, after, 1);
  }
  rows.update(before, after);
}

function countState(tallies: Tallies, { state, tenant }: NewRow, by: 1 | -1): void {
  tallies.count("state", state, by);
  if (tenant !== null) tallies.count(tenantTotals[state as keyof typeof tenantTotals], tenant, by);
}
