/**
 * The one session of a worker on the embedded log: it holds all partitions until it leaves.
 *
 * Nothing is buffered: a read takes its records from the file when it is called. `generation` guards the commits
 * even if the lock file is removed under a running worker.
 */
import assert from "node:assert/strict";
import type {
  Clock,
  Commit,
  CommitResult,
  InputTopic,
  PositionsResult,
  ReadResult,
  Session,
  Topic,
} from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { sleep } from "../../sleep.ts";
import { asFault, attempt, type Failure, reasonOf } from "./errors.ts";
import type { Store } from "./store.ts";
import type { Wake } from "./wake.ts";
import type { Writer } from "./writer.ts";

/** A read that fails for a reason that may pass is tried again this often before the worker gives up. */
const readAttempts = 50;
const readRetryMs = 200;

export interface SessionParts {
  readonly file: string;
  readonly store: Store;
  readonly writer: Writer;
  readonly wake: Wake;
  readonly clock: Clock;
}

export type OnFailure = (reason: string, problem: Problem) => void;

export class EmbeddedSession implements Session {
  readonly partitions: readonly number[];
  readonly ended: AbortSignal;
  /** The lock on the file ends with the process, not with time. */
  readonly leaseMs = Number.POSITIVE_INFINITY;
  readonly #parts: SessionParts;
  readonly #generation: number;
  readonly #onFailure: OnFailure;
  readonly #end = new AbortController();
  readonly #next = new Map<string, number>();
  readonly #reading = new Set<string>();

  /** `onFailure`: the session has ended by itself, and why. */
  constructor(parts: SessionParts, generation: number, onFailure: OnFailure) {
    this.#parts = parts;
    this.#generation = generation;
    this.#onFailure = onFailure;
    this.ended = this.#end.signal;
    this.partitions = Array.from({ length: parts.store.partitionCount }, (_, partition) => partition);
  }

  end(): void {
    this.#end.abort();
    this.#parts.wake.wakeAll();
  }

  heldUntilMs(): number {
    return this.ended.aborted ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  async positions(partitions: readonly number[]): Promise<PositionsResult> {
    if (this.ended.aborted) return { ok: false, reason: "The session has ended." };
    const { file, store } = this.#parts;
    const result = attempt(file, () => store.positions(partitions));
    return result.ok
      ? { ok: true, positions: result.value }
      : { ok: false, reason: reasonOf(result.problem) };
  }

  seek(topic: InputTopic, partition: number, offset: number): void {
    this.#next.set(placeOf(topic, partition), offset);
    this.#parts.wake.wake(topic, partition);
  }

  async read(topic: InputTopic, partition: number): Promise<ReadResult> {
    const place = placeOf(topic, partition);
    assert.ok(!this.#reading.has(place), `one read of ${place} at a time`);
    this.#reading.add(place);
    try {
      return await this.#read(topic, partition, place);
    } finally {
      this.#reading.delete(place);
    }
  }

  async commit(commits: readonly Commit[]): Promise<CommitResult> {
    if (this.ended.aborted) return "superseded";
    const { store, writer } = this.#parts;
    const written = await writer.write(commits.length, () => {
      if (store.generation() !== this.#generation) return false;
      for (const commit of commits) store.putCommit(commit);
      return true;
    });
    if (!written.ok) {
      if (!written.retryable) this.#fail(written);
      return "unknown";
    }
    if (!written.value) this.#fail(removedLock(this.#parts.file));
    return written.value ? "committed" : "superseded";
  }

  async #read(topic: InputTopic, partition: number, place: string): Promise<ReadResult> {
    const { file, store, wake, clock } = this.#parts;
    let failures = 0;
    while (!this.ended.aborted) {
      const from = this.#next.get(place);
      if (from === undefined) {
        await wake.wait(topic, partition);
        continue;
      }
      const fetched = attempt(file, () => store.fetch(topic, partition, from));
      if (!fetched.ok) {
        failures += 1;
        if (fetched.retryable && failures < readAttempts) await sleep(clock, readRetryMs);
        else this.#fail(fetched);
        continue;
      }
      failures = 0;
      const result = fetched.value;
      if (result.kind === "gap") {
        const { logStart, logEnd } = result;
        return {
          kind: "gap",
          why: from < logStart ? "deleted" : "truncated",
          expected: from,
          logStart,
          logEnd,
        };
      }
      if (result.records.length > 0) {
        this.#next.set(place, result.records.at(-1)!.offset + 1);
        return { kind: "records", records: result.records };
      }
      await wake.wait(topic, partition);
    }
    return { kind: "ended" };
  }

  #fail(failure: Failure): void {
    if (this.ended.aborted) return;
    this.end();
    this.#onFailure(reasonOf(failure.problem), asFault(failure));
  }
}

function placeOf(topic: Topic, partition: number): string {
  return `${topic}/${partition}`;
}

function removedLock(file: string): Failure {
  return {
    problem: {
      code: "log-taken-over",
      message: `Another worker took over the event log ${file} while this one was running (was worker.lock removed?).`,
      fix: "Stop one of the two, and leave worker.lock alone: it frees itself when a worker ends.",
    },
    retryable: false,
  };
}
