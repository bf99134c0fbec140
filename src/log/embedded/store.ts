/**
 * The one connection of a process to `log.db`: statements and what they mean. Synchronous, and throws what SQLite
 * throws (see `attempt`); callers decide on transactions.
 *
 * A record that a partition should hold but doesn't, or whose checksum differs, is a DamageError: it is never skipped.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type {
  Commit,
  InputPosition,
  InputTopic,
  LogRecord,
  NewRecord,
  Topic,
  TopicSurvey,
} from "../../ports.ts";
import { inputTopics } from "../../ports.ts";
import { DamageError, type Failure } from "./errors.ts";
import { commitChecksum, decodeHeaders, encodeHeaders, recordChecksum } from "./record-bytes.ts";
import { quickCheck, tableOf } from "./schema.ts";

/** Limits of one fetch. A single larger record is still handed over. */
const fetchRows = 500;
const fetchBytes = 4 * 1024 * 1024;

export interface Bounds {
  readonly logStart: number;
  readonly nextOffset: number;
}

/** Where a partition's next record goes. */
export interface End {
  readonly topic: Topic;
  readonly partition: number;
  readonly nextOffset: number;
}

/** The records from an offset on, as one moment saw them; none: the offset is at or beyond the end. */
export type Fetched =
  | { readonly kind: "records"; readonly records: readonly LogRecord[]; readonly bounds: Bounds }
  | { readonly kind: "gap"; readonly logStart: number; readonly logEnd: number };

type Bytes = Uint8Array | null;
type RecordRow = [
  offset: number,
  timestampMs: number,
  key: Bytes,
  value: Bytes,
  headers: Uint8Array,
  sum: number,
];

interface PlaceStatements {
  readonly insert: StatementSync;
  readonly select: StatementSync;
}

export class Store {
  readonly partitionCount: number;
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #beginImmediate: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #sequence: StatementSync;
  readonly #generation: StatementSync;
  readonly #nextSequence: StatementSync;
  readonly #nextGeneration: StatementSync;
  readonly #reserve: StatementSync;
  readonly #bounds: StatementSync;
  readonly #ends: StatementSync;
  readonly #commitGet: StatementSync;
  readonly #commitPut: StatementSync;
  readonly #places = new Map<string, PlaceStatements>();

  /** Takes over a connection whose schema was checked. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#begin = db.prepare("BEGIN");
    this.#beginImmediate = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#rollback = db.prepare("ROLLBACK");
    this.#dataVersion = db.prepare("PRAGMA data_version");
    this.#sequence = db.prepare("SELECT sequence AS n FROM state");
    this.#generation = db.prepare("SELECT generation AS n FROM state");
    this.#nextSequence = db.prepare("UPDATE state SET sequence = sequence + 1 RETURNING sequence AS n");
    this.#nextGeneration = db.prepare(
      "UPDATE state SET generation = generation + 1 RETURNING generation AS n",
    );
    this.#reserve = db.prepare(
      "UPDATE bounds SET next_offset = next_offset + ? WHERE topic = ? AND partition = ? RETURNING next_offset AS n",
    );
    this.#bounds = db.prepare(
      "SELECT log_start AS logStart, next_offset AS nextOffset FROM bounds WHERE topic = ? AND partition = ?",
    );
    this.#ends = db.prepare("SELECT topic, partition, next_offset AS nextOffset FROM bounds");
    this.#commitGet = db.prepare(
      "SELECT offset, metadata, checksum FROM commits WHERE topic = ? AND partition = ?",
    );
    this.#commitPut = db.prepare("INSERT OR REPLACE INTO commits VALUES (?, ?, ?, ?, ?)");
    this.partitionCount = numberOf(db.prepare("SELECT partition_count AS n FROM state"));
  }

  quickCheck(file: string, maxBytes: number): Failure | null {
    return quickCheck(this.#db, file, maxBytes);
  }

  /** Changes whenever another connection, of this process or another one, has committed. */
  dataVersion(): number {
    return (this.#dataVersion.get() as { data_version: number }).data_version;
  }

  sequence(): number {
    return numberOf(this.#sequence);
  }

  generation(): number {
    return numberOf(this.#generation);
  }

  /** Everything that `run` does, durably or not at all. Returns the sequence number of the transaction. */
  write(run: () => void): number {
    this.#beginImmediate.run();
    try {
      run();
      const sequence = numberOf(this.#nextSequence);
      this.#commit.run();
      return sequence;
    } finally {
      // After some errors SQLite has rolled back already.
      if (this.#db.isTransaction) this.#rollback.run();
    }
  }

  /** Inside `write`. */
  nextGeneration(): number {
    return numberOf(this.#nextGeneration);
  }

  /** Inside `write`. Returns where each now stands. */
  append(records: readonly NewRecord[], timestampMs: number): readonly number[] {
    const offsets: number[] = [];
    const placed = records.map((record, index) => ({ record, index }));
    for (const [place, group] of Map.groupBy(placed, ({ record }) =>
      tableOf(record.topic, record.partition),
    )) {
      const { topic, partition } = group[0]!.record;
      const { insert } = this.#statements(place);
      let offset = numberOf(this.#reserve, group.length, topic, partition) - group.length;
      for (const { record, index } of group) {
        const { key, value, headers } = record;
        offsets[index] = offset;
        const headerBytes = encodeHeaders(headers);
        const sum = recordChecksum(
          { topic, partition, offset, timestampMs },
          { key, value, headers: headerBytes },
        );
        insert.run(offset, timestampMs, key, value, headerBytes, sum);
        offset += 1;
      }
    }
    return offsets;
  }

  /** Inside `write`. */
  putCommit({ topic, partition, offset, metadata }: Commit): void {
    const bytes = Buffer.from(metadata, "utf8");
    this.#commitPut.run(topic, partition, offset, bytes, commitChecksum({ topic, partition, offset }, bytes));
  }

  bounds(topic: Topic, partition: number): Bounds {
    const row = this.#bounds.get(topic, partition) as Bounds | undefined;
    if (row === undefined) throw new DamageError(`nothing is known of partition ${topic}/${partition}`);
    return row;
  }

  /** Of all partitions of all topics. */
  ends(): End[] {
    return this.#ends.all() as unknown as End[];
  }

  fetch(topic: Topic, partition: number, fromOffset: number): Fetched {
    return this.#atOneMoment(() => {
      const bounds = this.bounds(topic, partition);
      if (fromOffset < bounds.logStart || fromOffset > bounds.nextOffset)
        return { kind: "gap", logStart: bounds.logStart, logEnd: bounds.nextOffset };
      if (fromOffset >= bounds.nextOffset) return { kind: "records", records: [], bounds };
      const records: LogRecord[] = [];
      let bytes = 0;
      const rows = this.#statements(tableOf(topic, partition)).select.iterate(fromOffset);
      for (const row of rows as Iterable<unknown>) {
        const record = recordOf({ topic, partition }, fromOffset + records.length, row as RecordRow);
        records.push(record);
        bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0);
        if (bytes >= fetchBytes) break;
      }
      const missing = fromOffset + records.length;
      if (records.length < fetchRows && bytes < fetchBytes && missing < bounds.nextOffset) {
        throw new DamageError(`the record ${topic}/${partition}@${missing} is missing`);
      }
      return { kind: "records", records, bounds };
    });
  }

  /** The file is one whole, so no topic of it is made again by itself: there are no ids. */
  allBounds(): Record<Topic, TopicSurvey> {
    return this.#atOneMoment(() => {
      const of = (topic: Topic): TopicSurvey => ({
        id: null,
        bounds: Array.from({ length: this.partitionCount }, (_, partition) => {
          const { logStart, nextOffset } = this.bounds(topic, partition);
          return { start: logStart, end: nextOffset };
        }),
      });
      return { enrolled: of("enrolled"), retry: of("retry"), registered: of("registered"), dlq: of("dlq") };
    });
  }

  positions(partitions: readonly number[]): InputPosition[] {
    return this.#atOneMoment(() =>
      partitions.flatMap((partition) =>
        inputTopics.map((topic) => {
          const { logStart, nextOffset } = this.bounds(topic, partition);
          const committed = this.#committed(topic, partition);
          return { topic, partition, committed, logStart, logEnd: nextOffset };
        }),
      ),
    );
  }

  close(): void {
    this.#db.close();
  }

  #committed(topic: InputTopic, partition: number): InputPosition["committed"] {
    const row = this.#commitGet.get(topic, partition) as
      | { offset: number; metadata: Uint8Array; checksum: number }
      | undefined;
    if (row === undefined) return null;
    const { offset, metadata, checksum } = row;
    if (commitChecksum({ topic, partition, offset }, metadata) !== checksum) {
      throw new DamageError(`the commit of ${topic}/${partition} fails its checksum`);
    }
    return { offset, metadata: Buffer.from(metadata).toString("utf8") };
  }

  #atOneMoment<T>(read: () => T): T {
    this.#begin.run();
    try {
      return read();
    } finally {
      if (this.#db.isTransaction) this.#commit.run();
    }
  }

  #statements(table: string): PlaceStatements {
    const known = this.#places.get(table);
    if (known !== undefined) return known;
    const insert = this.#db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?)`);
    const select = this.#db.prepare(
      `SELECT offset, timestamp_ms, key, value, headers, checksum FROM ${table}
       WHERE offset >= ? ORDER BY offset LIMIT ${fetchRows}`,
    );
    select.setReturnArrays(true);
    const statements = { insert, select };
    this.#places.set(table, statements);
    return statements;
  }
}

function recordOf(
  { topic, partition }: { readonly topic: Topic; readonly partition: number },
  expected: number,
  row: RecordRow,
): LogRecord {
  const [offset, timestampMs, key, value, headers, sum] = row;
  if (offset !== expected) throw new DamageError(`the record ${topic}/${partition}@${expected} is missing`);
  if (recordChecksum({ topic, partition, offset, timestampMs }, { key, value, headers }) !== sum) {
    throw new DamageError(`the record ${topic}/${partition}@${offset} fails its checksum`);
  }
  return {
    topic,
    partition,
    offset,
    key,
    value,
    headers: decodeHeaders(headers),
    timestampMs,
    leaderEpoch: -1,
  };
}

function numberOf(statement: StatementSync, ...parameters: (string | number)[]): number {
  const row = statement.get(...parameters) as { n: number } | undefined;
  if (row === undefined) throw new DamageError("the row that counts its changes is missing");
  return row.n;
}
