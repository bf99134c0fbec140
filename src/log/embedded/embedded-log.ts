/**
 * EventLog and LogTail on one SQLite file, `<dataDir>/log.db`, for one worker on one machine; other processes append
 * and follow beside it.
 *
 * - An append or commit that was acknowledged is on the disk (write-ahead log, flushed before), all of one call or
 *   nothing of it.
 * - Flushed as it is committed, what others can read is on the disk. Flushed behind, they may read it a moment before that.
 * - One worker a directory, for as long as its process lives (lock.ts).
 * - What was stored and can't be read back whole is reported, never skipped (store.ts, high-water-mark.ts).
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type {
  AppendResult,
  Clock,
  EventLog,
  LogRecord,
  LogTail,
  Membership,
  NewRecord,
  OnStored,
  ScanResult,
  Session,
  SurveyResult,
  Topic,
} from "../../ports.ts";
import type { OpenFailure } from "../../problem.ts";
import { sleep } from "../../sleep.ts";
import { asFault, attempt, type Failure, isBusy, reasonOf } from "./errors.ts";
import { openWalFile } from "./flusher.ts";
import { HighWaterMark, lostChanges } from "./high-water-mark.ts";
import { lockForWorker } from "./lock.ts";
import { Reader, type TailResult } from "./reader.ts";
import { prepareSchema, quickCheck } from "./schema.ts";
import { EmbeddedSession, type OnFailure } from "./session.ts";
import { Store } from "./store.ts";
import { Wake } from "./wake.ts";
import { busyRetryMs, closed, Writer, type WriterParts } from "./writer.ts";

export interface EmbeddedLogSettings {
  readonly dataDir: string;
  /** For a new log; an old one keeps the count that it was created with. */
  readonly partitionCount: number;
  /** For a caller that only appends: the event loop continues while the disk is at work (docs/adr/0015-flush-behind.md). */
  readonly flushesBehind?: boolean;
}

export type EmbeddedOpening =
  | { readonly ok: true; readonly log: EventLog & LogTail & { close(): Promise<void> } }
  | OpenFailure;

/** SQLite blocks the process while it waits for another writer, so not for long: the writer tries again. */
const busyTimeoutMs = 100;
const writeTimeoutMs = 10_000;
/** How much SQLite's own check may read when a log is opened (10 ms), and when a worker joins (300 ms). */
const openCheckBytes = 16 * 1024 * 1024;
const joinCheckBytes = 512 * 1024 * 1024;

export async function openEmbeddedLog(settings: EmbeddedLogSettings, clock: Clock): Promise<EmbeddedOpening> {
  const file = join(settings.dataDir, "log.db");
  const deadlineMs = clock.nowMs() + writeTimeoutMs;
  for (;;) {
    const undo: (() => void)[] = [];
    const opened = attempt(file, () => openFiles(settings, file, { clock, undo }));
    const failure: Failure | null = opened.ok ? opened.value.failure : opened;
    if (failure === null) {
      assert.ok(opened.ok && opened.value.failure === null);
      return { ok: true, log: opened.value.log };
    }
    for (const close of undo.reverse()) attempt(file, close);
    if (!isBusy(failure) || clock.nowMs() >= deadlineMs) {
      return { ok: false, problem: failure.problem, retryable: failure.retryable };
    }
    await sleep(clock, busyRetryMs);
  }
}

type Files = { failure: Failure } | { failure: null; log: EmbeddedLog };

function openFiles(
  settings: EmbeddedLogSettings,
  file: string,
  { clock, undo }: { readonly clock: Clock; readonly undo: (() => void)[] },
): Files {
  makeDirectory(settings.dataDir);
  const markFile = join(settings.dataDir, "log.head");
  const mark = new HighWaterMark(markFile);
  undo.push(() => mark.close());
  // Read before the log is, so that a write in between can't look like a loss.
  const marked = mark.read();
  if (marked > 0 && !existsSync(file))
    return { failure: lostChanges({ file, markFile }, { sequence: 0, marked }) };
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  undo.push(() => db.close());
  const unfit = prepareSchema(db, file, settings.partitionCount) ?? quickCheck(db, file, openCheckBytes);
  if (unfit !== null) return { failure: unfit };
  const store = new Store(db);
  const sequence = store.sequence();
  if (sequence < marked) return { failure: lostChanges({ file, markFile }, { sequence, marked }) };
  if (settings.flushesBehind) db.exec("PRAGMA synchronous = NORMAL");
  const wal = settings.flushesBehind ? openWalFile(file) : null;
  const parts = { file, store, mark, clock, wal };
  return { failure: null, log: new EmbeddedLog(settings.dataDir, markFile, parts) };
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // Node.js says so of a file system that is read-only, too; without `recursive` it says why.
    mkdirSync(directory);
  }
}

class EmbeddedLog implements EventLog, LogTail {
  readonly partitionCount: number;
  readonly #dataDir: string;
  readonly #file: string;
  readonly #store: Store;
  readonly #mark: HighWaterMark;
  readonly #clock: Clock;
  readonly #writer: Writer;
  readonly #wake: Wake;
  readonly #reader: Reader;
  readonly #memberships = new Set<Membership>();
  #closed = false;

  constructor(dataDir: string, markFile: string, parts: WriterParts) {
    const { file, store, mark, clock } = parts;
    this.#dataDir = dataDir;
    this.#file = file;
    this.#store = store;
    this.#mark = mark;
    this.#clock = clock;
    this.#writer = new Writer(parts, writeTimeoutMs);
    const ask = <T>(question: () => T): T | null => {
      const asked = attempt(file, question);
      return asked.ok ? asked.value : null;
    };
    this.#wake = new Wake(markFile, clock, {
      dataVersion: () => ask(() => store.dataVersion()),
      ends: () => ask(() => store.ends()),
    });
    this.#reader = new Reader(file, store, this.#wake);
    this.partitionCount = store.partitionCount;
  }

  async append(records: readonly NewRecord[], onStored: OnStored = () => {}): Promise<AppendResult> {
    for (const { topic, partition } of records) {
      assert.ok(
        Number.isInteger(partition) && partition >= 0 && partition < this.partitionCount,
        `${topic}/${partition}`,
      );
    }
    if (records.length === 0) return { ok: true };
    const timestampMs = this.#clock.wallMs();
    const written = await this.#writer.write(records.length, () => this.#store.append(records, timestampMs));
    if (!written.ok) return { ok: false, reason: reasonOf(written.problem) };
    for (const [index, offset] of written.value.entries()) onStored(index, offset);
    for (const { topic, partition } of records) this.#wake.wake(topic, partition);
    return { ok: true };
  }

  // biome-ignore lint/complexity/useMaxParams: EventLog.scan of ports.ts
  scan(
    topic: Topic,
    partition: number,
    fromOffset: number,
    onRecords: (records: readonly LogRecord[]) => void,
    signal: AbortSignal,
  ): Promise<ScanResult> {
    return this.#reader.scan(topic, partition, fromOffset, onRecords, signal);
  }

  // biome-ignore lint/complexity/useMaxParams: LogTail.tail of ports.ts
  tail(
    topic: Topic,
    from: "start" | "end",
    onRecords: (records: readonly LogRecord[]) => void,
    signal: AbortSignal,
  ): Promise<TailResult> {
    return this.#reader.tail(topic, from, onRecords, signal);
  }

  /** For readiness; null: there is none. */
  trouble(): string | null {
    const failure = this.#writer.failure;
    return failure === null ? null : reasonOf(failure.problem);
  }

  async survey(): Promise<SurveyResult> {
    if (this.#closed) return { ok: false, reason: reasonOf(closed(this.#file).problem) };
    const asked = attempt(this.#file, () => this.#store.allBounds());
    if (!asked.ok) return { ok: false, reason: reasonOf(asked.problem) };
    return { ok: true, topics: asked.value };
  }

  async join(onSession: (session: Session) => void, onFailure: OnFailure): Promise<Membership> {
    const nothing: Membership = { leave: async () => {} };
    const refused = (failure: Failure): Membership => {
      onFailure(reasonOf(failure.problem), asFault(failure));
      return nothing;
    };
    if (this.#closed) return refused(closed(this.#file));
    const locking = lockForWorker(this.#dataDir);
    if (!locking.ok) return refused(locking);
    const { lock } = locking;
    const checked = attempt(this.#file, () => this.#store.quickCheck(this.#file, joinCheckBytes));
    const unfit = checked.ok ? checked.value : checked;
    const generation =
      unfit === null ? await this.#writer.write(1, () => this.#store.nextGeneration()) : null;
    if (generation === null || !generation.ok) {
      lock.release();
      return refused(generation ?? unfit!);
    }
    const parts = {
      file: this.#file,
      store: this.#store,
      writer: this.#writer,
      wake: this.#wake,
      clock: this.#clock,
    };
    if (this.#closed) {
      lock.release();
      return refused(closed(this.#file));
    }
    const session = new EmbeddedSession(parts, generation.value, onFailure);
    const membership: Membership = {
      leave: async () => {
        session.end();
        // What this worker asked to be written is on the disk, or never will be, before another one may join.
        await this.#writer.drained();
        this.#memberships.delete(membership);
        lock.release();
      },
    };
    this.#memberships.add(membership);
    onSession(session);
    return membership;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const membership of [...this.#memberships]) await membership.leave();
    await this.#writer.close();
    this.#reader.close();
    this.#wake.close();
    attempt(this.#file, () => this.#store.close());
    this.#mark.close();
  }
}
