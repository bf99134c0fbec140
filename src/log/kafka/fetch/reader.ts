/** What reading has in common, with membership and without. */

import type { Clock, LogRecord, Topic } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import { sleep } from "../../../sleep.ts";
import { errorCodes, errorName, isPassing } from "../cluster/errors.ts";
import type { Fetched } from "./fetch-request.ts";
import { BatchError, type DecodedRecords, decodeBatches, type RawRecord } from "./record-batch.ts";
import { type ReadContext, unreadableBatch } from "./unreadable.ts";

export interface ReaderSettings extends Pick<ReadContext, "bootstrap" | "groupId"> {
  readonly nameOf: (topic: Topic) => string;
  /** A scan or tail that makes no progress for so long fails. */
  readonly stallMs: number;
}

const retryDelayMs = 100;

export function logRecords(topic: Topic, partition: number, records: readonly RawRecord[]): LogRecord[] {
  return records.map((record) => ({
    topic,
    partition,
    offset: record.offset,
    key: record.key,
    value: record.value,
    headers: record.headers,
    timestampMs: record.timestampMs,
    leaderEpoch: record.leaderEpoch,
  }));
}

/** Waits for a promise, but not longer than so; its failure has no effect. */
export async function waitAtMost(clock: Clock, limitMs: number, promise: Promise<unknown>): Promise<void> {
  let cancel = () => {};
  const limit = new Promise<void>((resolve) => {
    cancel = clock.after(limitMs, resolve);
  });
  await Promise.race([promise.catch(() => {}), limit]);
  cancel();
}

/** Trouble that passes is waited out; this says when that has gone on for too long. */
export interface StallLimit {
  progress(): void;
  /** False when it is time to give up. */
  retryAfterDelay(): Promise<boolean>;
}

export function createStallLimit(clock: Clock, stallMs: number): StallLimit {
  let since: number | null = null;
  return {
    progress() {
      since = null;
    },
    async retryAfterDelay(): Promise<boolean> {
      since ??= clock.nowMs();
      if (clock.nowMs() - since > stallMs) return false;
      await sleep(clock, retryDelayMs);
      return true;
    },
  };
}

/** An answer that says: not now, or not here. The connection itself is well. */
export class PassingError extends Error {}

export function checkFetched({ errorCode }: Fetched): void {
  if (errorCode === errorCodes.none || errorCode === errorCodes.offsetOutOfRange) return;
  if (isPassing(errorCode)) throw new PassingError(errorName(errorCode));
  throw new Error(errorName(errorCode));
}

/** A batch that could not be read twice: what is to be done. */
export class Unreadable extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.message} ${problem.fix}`);
    this.problem = problem;
  }
}

/** Decodes what comes, and tells a batch that can't be read from bytes that were damaged or cut short once on their way. */
export function createDecoder() {
  let unreadable = 0;
  return (fetched: Fetched, offset: number, context: ReadContext): DecodedRecords => {
    try {
      const decoded = decodeBatches(fetched.bytes, offset, fetched.aborted);
      unreadable = 0;
      if (decoded.nextOffset === offset && fetched.bytes.length > 0)
        throw new PassingError(`the batch at offset ${offset} comes cut short`);
      return decoded;
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      unreadable += 1;
      if (unreadable < 2) throw new PassingError(error.message);
      throw new Unreadable(unreadableBatch(error, context));
    }
  };
}
