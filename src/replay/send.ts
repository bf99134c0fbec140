/**
 * Reads the chosen dead letters once more and appends them to the input, at a limited rate.
 *
 * 1. At most `heldMax` records and one batch of the log are held in memory.
 * 2. A dead letter goes back once, even if the topic holds it several times.
 */

import { type DeadLetter, readDeadLetter } from "../domain/dead-letter.ts";
import { tenantOfKey } from "../domain/replayed-from.ts";
import type { AppendResult, Clock, EventLog, LogRecord, NewRecord } from "../ports.ts";
import { sleep } from "../sleep.ts";
import { contentOf, replayedRecord } from "./replayed-record.ts";

export interface Replayed {
  readonly letter: DeadLetter;
  readonly record: NewRecord;
}

export interface SendSettings {
  readonly perSecond: number;
  /** Called with each group: stored, or in a dry run to be stored. */
  readonly onReplayed: (group: readonly Replayed[]) => void;
  readonly dryRun: boolean;
}

const heldMax = 500;
const groupMax = 100;

interface SendParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** `chosen` is emptied as its records are found. What is left in it afterwards is no longer in the topic. */
export async function send(
  { log, clock, signal }: SendParts,
  chosen: Set<string>,
  settings: SendSettings,
): Promise<AppendResult> {
  let dueMs = clock.nowMs();
  for (let partition = 0; partition < log.partitionCount; partition++) {
    let from = 0;
    for (let more = true; more; ) {
      const read = await readSome({ log, partition, from }, chosen, signal);
      if (!read.ok) return read;
      for (let at = 0; at < read.found.length; at += groupSize(settings)) {
        const group = read.found.slice(at, at + groupSize(settings));
        if (!settings.dryRun) {
          if (!(await sleep(clock, Math.max(0, dueMs - clock.nowMs()), signal))) {
            return { ok: false, reason: "interrupted" };
          }
          const appended = await log.append(group.map(({ record }) => record));
          if (!appended.ok) return appended;
          dueMs = Math.max(dueMs, clock.nowMs() - 1000) + (group.length * 1000) / settings.perSecond;
        }
        settings.onReplayed(group);
      }
      from = read.next;
      more = read.more;
    }
  }
  return { ok: true };
}

/** A tenth of a second's worth, so that the rate is even. */
function groupSize({ perSecond, dryRun }: SendSettings): number {
  return dryRun ? groupMax : Math.min(groupMax, Math.max(1, Math.floor(perSecond / 10)));
}

type Found =
  | { readonly ok: true; readonly found: readonly Replayed[]; readonly next: number; readonly more: boolean }
  | { readonly ok: false; readonly reason: string };

/** The scan is stopped once enough is held, and continues there later. */
async function readSome(
  { log, partition, from }: { readonly log: EventLog; readonly partition: number; readonly from: number },
  chosen: Set<string>,
  signal: AbortSignal,
): Promise<Found> {
  const found: Replayed[] = [];
  const enough = new AbortController();
  let next = from;
  const onRecords = (records: readonly LogRecord[]) => {
    for (const record of records) {
      next = record.offset + 1;
      const letter = readDeadLetter(record);
      if (letter === null || !chosen.delete(letter.id)) continue; // 2
      const content = contentOf(record);
      const tenantId = content.tenantId ?? tenantOfKey(record);
      found.push({
        letter,
        record: replayedRecord(record, letter, { tenantId, partitionCount: log.partitionCount }),
      });
    }
    if (found.length >= heldMax) enough.abort(); // 1
  };
  const stop = AbortSignal.any([signal, enough.signal]);
  const result = await log.scan("dlq", partition, from, onRecords, stop);
  if (result.ok) return { ok: true, found, next: result.nextOffset, more: false };
  return enough.signal.aborted && !signal.aborted ? { ok: true, found, next, more: true } : result;
}
