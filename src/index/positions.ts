/**
 * Up to where each partition was read, stored with the rows. To continue from there, the log must be the same: the topic has the same id,
 * does not end before the position, and holds the last record that was read unchanged, unless compaction removed it.
 */
import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { topics } from "../domain/topics.ts";
import type { LogRecord, Topic, TopicSurveys } from "../ports.ts";
import type { Ranges, TopicRange } from "./enrollment-index.ts";
import { topicNumber, topicOf } from "./values.ts";

export interface Place {
  readonly topic: Topic;
  readonly partition: number;
  /** Of the next record. */
  next: number;
  /** Of the last record read, if any was; `sum` null: not computed yet. */
  last: { readonly offset: number; sum: Uint8Array | null; readonly record: LogRecord | null } | null;
  /** It was read since the index was opened. */
  isVerified: boolean;
  topicId: string | null;
}

interface Stored {
  readonly topic: number;
  readonly partition: number;
  readonly topic_id: string | null;
  readonly next_offset: number;
  readonly check_offset: number | null;
  readonly check_sum: Uint8Array | null;
}

export class Positions {
  readonly #all: StatementSync;
  readonly #put: StatementSync;
  readonly #places = new Map<string, Place>();
  readonly #changed = new Set<Place>();

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?)");
    this.#all = db.prepare("SELECT * FROM positions");
    this.reload();
  }

  /** After a rollback: as they are stored. */
  reload(): void {
    this.#places.clear();
    this.#changed.clear();
    for (const row of this.#all.all() as unknown as Stored[]) {
      const last =
        row.check_offset === null ? null : { offset: row.check_offset, sum: row.check_sum, record: null };
      const place = { topic: topicOf(row.topic), partition: row.partition, next: row.next_offset, last };
      const isVerified = last === null;
      this.#places.set(name(place.topic, row.partition), { ...place, isVerified, topicId: row.topic_id });
    }
  }

  at(topic: Topic, partition: number): Place {
    const known = this.#places.get(name(topic, partition));
    if (known !== undefined) return known;
    const place: Place = { topic, partition, next: 0, last: null, isVerified: true, topicId: null };
    this.#places.set(name(topic, partition), place);
    return place;
  }

  all(): Iterable<Place> {
    return this.#places.values();
  }

  /** `next`: where the next record is; `record`: the last one read, if one was. */
  moved(place: Place, next: number, record: LogRecord | null): void {
    place.next = next;
    place.isVerified = true;
    if (record !== null) place.last = { offset: record.offset, sum: null, record };
    this.#changed.add(place);
  }

  /** Inside the transaction of the rows. */
  flush(): void {
    for (const place of this.#changed) {
      const { topic, partition, topicId, next, last } = place;
      if (last?.record) place.last = { offset: last.offset, sum: checkSum(last.record), record: null };
      this.#put.run(
        topicNumber(topic),
        partition,
        topicId,
        next,
        last?.offset ?? null,
        place.last?.sum ?? null,
      );
    }
    this.#changed.clear();
  }

  behind(found: TopicSurveys): number {
    let records = 0;
    for (const topic of topics)
      for (const [partition, { start, end }] of found[topic].bounds.entries())
        records += Math.max(0, end - Math.max(start, this.at(topic, partition).next));
    return records;
  }

  /** `starts`: where the topics began at the last look. */
  ranges(starts: TopicSurveys): Ranges {
    const of = (topic: Topic): TopicRange => ({
      id: starts[topic].id,
      partitions: starts[topic].bounds.map(({ start }, partition) => {
        const to = this.at(topic, partition).next;
        return { from: Math.min(start, to), to };
      }),
    });
    return { enrolled: of("enrolled"), retry: of("retry"), registered: of("registered"), dlq: of("dlq") };
  }

  /** Why the topics are other ones than those that were read; null: they are the same as far as this shows. */
  contradiction(found: TopicSurveys): string | null {
    for (const { topic, partition, next, topicId } of this.all()) {
      const { id, bounds } = found[topic];
      if (next > 0 && id !== topicId) return `the ${topic} topic was deleted and made again`;
      const end = bounds[partition]?.end ?? 0;
      if (end < next) return `${topic}/${partition} ends at ${end}, and was read up to ${next}`;
    }
    return null;
  }
}

/** Distinguishes a record from another one in its place. */
export function checkSum({ key, value, timestampMs }: LogRecord): Uint8Array {
  const parts = [key, value].map((bytes) => (bytes === null ? "-" : hash("sha256", bytes, "base64")));
  return hash("sha256", [timestampMs, ...parts].join(" "), "buffer").subarray(0, 8);
}

function name(topic: Topic, partition: number): string {
  return `${topic}/${partition}`;
}
