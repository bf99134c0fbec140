/**
 * From the topics into the file: one round reads everything that is there, in transactions that hold rows and positions together.
 *
 * 1. Topics in the order registered, dead letters, inputs. The inputs are read only up to where they stood before the others were: what
 *    became of those events is then known already, and a finished enrollment does not pass for a waiting one.
 * 2. The callback of a scan must not throw: a log may continue after it. Failures of the file end the scan.
 * 3. Nothing of another log is mixed in: whatever shows that it is another one ends the round, and the file is made again.
 */
import type { EventLog, LogRecord, Topic, TopicSurveys } from "../ports.ts";
import { applyRecord } from "./apply.ts";
import type { IndexFile } from "./file.ts";
import { finishLoad } from "./first-load.ts";
import { checkSum, type Place, type Positions } from "./positions.ts";

/** The most records of one transaction, so that a crash repeats little; more in the first load. */
const recordsMax = 20_000;
const loadRecordsMax = 100_000;
const order: readonly Topic[] = ["registered", "dlq", "enrolled", "retry"];

export type Round =
  | { readonly kind: "read" }
  | { readonly kind: "aborted" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** 3 */
  | { readonly kind: "another-log"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: unknown };

export interface ReadingParts {
  readonly log: EventLog;
  readonly file: IndexFile;
  /** After a transaction: keys for which an outcome was read. */
  readonly onOutcomes: (keys: ReadonlySet<string>) => void;
  /** The first load, which reports no outcomes, has ended. */
  readonly onLoaded: () => void;
  /** Records that are left, after each transaction. */
  readonly onBehind: (records: number) => void;
  /** Where to end, by topic and partition; undefined: at the present end. */
  readonly ends: Readonly<Record<Topic, readonly number[]>> | undefined;
  /** Of one transaction; undefined: what is best. */
  readonly transactionRecords: number | undefined;
}

export class Reading {
  readonly #parts: ReadingParts;
  readonly #outcomes = new Set<string>();
  #pending = 0;
  #behind = 0;
  #lastSurvey: TopicSurveys | null = null;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  async round(signal: AbortSignal): Promise<Round> {
    const { log, file } = this.#parts;
    const survey = await log.survey();
    if (signal.aborted) return { kind: "aborted" };
    if (!survey.ok) return { kind: "unreadable", reason: survey.reason };
    const { topics } = survey;
    this.#lastSurvey = topics;
    const contradiction = file.positions.contradiction(topics);
    if (contradiction !== null) return { kind: "another-log", reason: contradiction };
    this.#behind = file.positions.behind(topics);
    this.#parts.onBehind(this.#behind);
    const result = await this.#readTopics(topics, signal).catch((error: unknown) => failed(error));
    return this.#end(result);
  }

  /** Null: nothing was read yet. */
  ranges(): ReturnType<Positions["ranges"]> | null {
    return this.#lastSurvey && this.#parts.file.positions.ranges(this.#lastSurvey);
  }

  async #readTopics(topics: TopicSurveys, signal: AbortSignal): Promise<Round> {
    const { ends } = this.#parts;
    for (const topic of order) {
      const isInput = topic === "enrolled" || topic === "retry";
      const limits = ends?.[topic] ?? (isInput ? topics[topic].bounds.map(({ end }) => end) : []); // 1
      const result = await this.#readTopic(topics, { topic, limits }, signal);
      if (result !== null) return result;
      if (topic === "registered") await this.#endLoad();
    }
    return { kind: "read" };
  }

  /** What was read whole is kept, unless the file or the log is to be doubted. */
  #end(round: Round): Round {
    const { db, store, positions } = this.#parts.file;
    try {
      if (round.kind !== "failed" && round.kind !== "another-log") {
        this.#commit();
        return round;
      }
      if (db.isTransaction) db.exec("ROLLBACK");
      store.tallies.forget();
      store.texts.forget();
      positions.reload();
    } catch (error) {
      return round.kind === "failed" ? round : failed(error);
    }
    this.#outcomes.clear();
    this.#pending = 0;
    return round;
  }

  async #endLoad(): Promise<void> {
    const { db } = this.#parts.file;
    if (this.#parts.file.phase === "ready") return;
    this.#commit();
    await finishLoad(db);
    this.#parts.file.phase = "ready";
    this.#parts.onLoaded();
  }

  async #readTopic(
    topics: TopicSurveys,
    { topic, limits }: { readonly topic: Topic; readonly limits: readonly number[] },
    signal: AbortSignal,
  ): Promise<Round | null> {
    const { file } = this.#parts;
    for (const [partition, { end }] of topics[topic].bounds.entries()) {
      const place = file.positions.at(topic, partition);
      place.topicId = topics[topic].id;
      const limit = limits[partition] ?? Number.POSITIVE_INFINITY;
      if (place.isVerified && place.next >= Math.min(end, limit)) continue;
      const result = await this.#readPartition(place, limit, signal);
      if (result !== null) return result;
    }
    return null;
  }

  async #readPartition(place: Place, limit: number, signal: AbortSignal): Promise<Round | null> {
    const { log, file } = this.#parts;
    const enough = new AbortController();
    const ending: { round: Round | null } = { round: null };
    const end = (round: Round | null) => {
      ending.round = round;
      enough.abort();
    };
    const from = place.last?.offset ?? place.next;
    const onRecords = (records: readonly LogRecord[]) => {
      if (enough.signal.aborted) return;
      try {
        if (this.#take(place, records, limit)) return end(null);
      } catch (error) {
        end(error instanceof AnotherLog ? { kind: "another-log", reason: error.message } : failed(error)); // 2
      }
    };
    const stop = AbortSignal.any([signal, enough.signal]);
    const result = await log.scan(place.topic, place.partition, from, onRecords, stop);
    if (ending.round !== null) return ending.round;
    if (signal.aborted) return { kind: "aborted" };
    if (enough.signal.aborted) return null;
    if (!result.ok) return { kind: "unreadable", reason: result.reason };
    if (result.nextOffset > place.next || !place.isVerified) {
      this.#begin();
      file.positions.moved(place, Math.max(place.next, Math.min(result.nextOffset, limit)), null);
    }
    return null;
  }

  /** True: the limit is reached. */
  #take(place: Place, records: readonly LogRecord[], limit: number): boolean {
    const { file, log } = this.#parts;
    const isLoading = file.phase === "loading";
    const applied = {
      onOutcome: (key: string) => void this.#outcomes.add(key),
      partitionCount: log.partitionCount,
    };
    this.#begin();
    let last: LogRecord | null = null;
    for (const record of records) {
      if (record.offset < place.next) {
        verify(place, record);
        continue;
      }
      if (record.offset >= limit) break;
      if (isLoading) file.load(record);
      else applyRecord(file.store, record, applied);
      last = record;
      this.#pending++;
    }
    const next = (records.at(-1)?.offset ?? -1) + 1;
    if (next >= place.next) file.positions.moved(place, Math.min(next, limit), last);
    const max = this.#parts.transactionRecords ?? (isLoading ? loadRecordsMax : recordsMax);
    if (this.#pending >= max) this.#commit();
    return next >= limit;
  }

  #begin(): void {
    const { db } = this.#parts.file;
    if (!db.isTransaction) db.exec("BEGIN IMMEDIATE");
  }

  #commit(): void {
    const { db, store, positions } = this.#parts.file;
    if (!db.isTransaction) return;
    store.tallies.flush();
    positions.flush();
    db.exec("COMMIT");
    this.#behind = Math.max(0, this.#behind - this.#pending);
    this.#pending = 0;
    this.#parts.onBehind(this.#behind);
    const outcomes = new Set(this.#outcomes);
    this.#outcomes.clear();
    if (outcomes.size > 0) this.#parts.onOutcomes(outcomes);
  }
}

class AnotherLog extends Error {}

/** 3: every reading begins with the last record of the one before. Compaction may have removed it. */
function verify({ last, topic, partition }: Place, record: LogRecord): void {
  if (last?.sum == null || record.offset !== last.offset) return;
  if (Buffer.compare(checkSum(record), last.sum) !== 0)
    throw new AnotherLog(
      `${topic}/${partition} holds another record at ${record.offset} than was read there`,
    );
}

function failed(error: unknown): Round {
  return { kind: "failed", error };
}
