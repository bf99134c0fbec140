/**
 * The seams between the registrar and the world: the event log and the clock here, Graph in graph-port.ts, what happened in
 * observer.ts. The comments are the contract: every adapter (Kafka, embedded, simulated) is held to them by the suites in
 * test/contracts/, and the registrar assumes nothing else. Expected failures are values; a thrown error is a bug.
 */
import type { Problem } from "./problem.ts";

// ── EventLog ────────────────────────────────────────────────────────────────────────────────────

/** Topics by role; an adapter maps them to names (`connector.enrolled`, ...). */
export type Topic = "enrolled" | "retry" | "registered" | "dlq";
/** The topics that the worker consumes. One worker holds the same partition number of both. */
export type InputTopic = "enrolled" | "retry";
export const inputTopics: readonly InputTopic[] = ["enrolled", "retry"];

/** Repeated names are allowed; order is kept. */
export type Header = readonly [name: string, value: Uint8Array | null];

export interface LogRecord {
  readonly topic: Topic;
  readonly partition: number;
  /** Position in the partition; rises, may skip. Safe integer. */
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
  /**
   * When the record was produced, by the producer's or broker's clock: milliseconds since 1970 if it keeps to Kafka's rule,
   * which not all do. domain/record-time.ts reads it.
   */
  readonly timestampMs: number;
  /** Leader epoch under which it was written; -1: the log has none. Given back in `seek`. */
  readonly leaderEpoch: number;
}

/** A record to append: its partition is always chosen by the caller, never by a partitioner. */
export interface NewRecord {
  readonly topic: Topic;
  readonly partition: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

/** `ok: false`: some, all or none of the records may be stored. Appending them again is the caller's choice. */
export type AppendResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type OnStored = (index: number, offset: number) => void;

/**
 * `nextOffset`: where the next scan starts. On failure, records already handed over stay handed over. `logEnd`: given
 * when the log ends before `fromOffset`: what was there is gone. `problem`: given when what is there can't be read; the
 * reason says the same in one line. Repeating the scan changes neither.
 */
export type ScanResult =
  | { readonly ok: true; readonly nextOffset: number }
  | { readonly ok: false; readonly reason: string; readonly logEnd?: number; readonly problem?: Problem };

/** Bounds are next-offsets: `start` of the first record that is still there, `end` of the next that is appended. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

export interface TopicSurvey {
  /** Changes when the topic is deleted and made again under its name; null: this log has no such ids. */
  readonly id: string | null;
  /** By partition. */
  readonly bounds: readonly Bounds[];
}

export type TopicSurveys = Readonly<Record<Topic, TopicSurvey>>;

export type SurveyResult =
  | { readonly ok: true; readonly topics: TopicSurveys }
  | { readonly ok: false; readonly reason: string };

export interface EventLog {
  /** Partitions of enrolled, retry and registered: equal, verified when the log was opened. */
  readonly partitionCount: number;

  /**
   * Stores the records durably (Kafka: acks=all), in the order given within each partition. Calls may overlap; the
   * caller groups records. Settles within the adapter's publish time-out; nothing is sent after it settled.
   * `onStored` is called with the offset of each stored record, by its place in `records`, before this settles, also where it
   * settles with a failure because others are not stored; not for a record whose offset the log does not report.
   */
  append(records: readonly NewRecord[], onStored?: OnStored): Promise<AppendResult>;

  /**
   * Hands over all records of one partition from `fromOffset` (or the log's start, if that is later) up to its
   * end as of some moment after the call, in order, in batches; then settles. Needs no membership. Fails with `logEnd`
   * when the log ends before `fromOffset`.
   */
  scan(
    topic: Topic,
    partition: number,
    fromOffset: number,
    onRecords: (records: readonly LogRecord[]) => void,
    signal: AbortSignal,
  ): Promise<ScanResult>;

  /** Ids and bounds of the four topics, all partitions, as of some moment after the call. Needs no membership. */
  survey(): Promise<SurveyResult>;

  /**
   * Joins the worker's consumer group and keeps rejoining until `leave`. Each time the group settles on an
   * assignment, the previous session has ended and `onSession` is called with the next one, synchronously,
   * before any record of it is fetched. `onFailure` is called at most once, when membership is lost permanently; with a
   * problem where the log knows what is to be done.
   */
  join(
    onSession: (session: Session) => void,
    onFailure: (reason: string, problem?: Problem) => void,
  ): Promise<Membership>;

  /** Why this log does not answer at present, in one line that names the broker or the partition; null: it answers. */
  trouble?(): string | null;
}

export interface Membership {
  /** Ends the session, leaves the group immediately (others need not wait for a time-out). Idempotent. */
  leave(): Promise<void>;
}

/** One generation of this worker's membership: the partitions that it alone may work on. */
export interface Session {
  readonly partitions: readonly number[];
  /** Aborted as soon as this worker knows that the generation is over (it rejoins, was expelled, or left). */
  readonly ended: AbortSignal;

  /**
   * No other worker can hold these partitions while both are true: less than `leaseMs` (the session time-out less a margin) has
   * passed since an acknowledged commit of this session was *sent*, and Clock.nowMs is before `heldUntilMs()`. A
   * heartbeat alone does not prove it: a coordinator that was cut off from the others still answers from its memory,
   * but it can't store a commit. A commit alone does not prove it either: it is also stored after a rebalance has begun.
   * Infinity where membership can't expire.
   */
  readonly leaseMs: number;
  /**
   * The last heartbeat that was answered without a rebalance having begun, counted from when it was sent, plus `leaseMs`;
   * its age is the longer of what the two clocks say.
   * Only heartbeats of the coordinator that stored the last commit count. -Infinity once the session ended.
   */
  heldUntilMs(): number;

  /**
   * Set where others may hold these partitions before the lease is over: the place of a static member is taken immediately
   * by any process that joins under its name. This worker's commits carry it, except for the last one of a clean stop.
   */
  readonly holder?: Holder;
  /** Has that holder come into this generation by itself? Then all that it held before is over. Absent: it never has. */
  joinedBy?(memberId: string): boolean;

  /** Committed offsets and log bounds of both inputs, read after this session began. Bounds are next-offsets. */
  positions(partitions: readonly number[]): Promise<PositionsResult>;

  /**
   * Sets where `read` continues, first call or later. Nothing is delivered for a partition before it. `leaderEpoch`: of the
   * last record before `offset` as far as the caller knows, else -1; a log that no longer holds that record there (lost
   * when a replica without it became leader) is a gap.
   */
  seek(topic: InputTopic, partition: number, offset: number, leaderEpoch: number): void;

  /**
   * The next records of one input partition, at least one, in order; waits while there are none. At most one read a
   * (topic, partition) is outstanding. Not reading is backpressure: an adapter buffers one fetch at the most.
   */
  read(topic: InputTopic, partition: number): Promise<ReadResult>;

  /**
   * Commits under this session's generation, all in one request. "committed": durable. "superseded": refused, the
   * generation is over and nothing was stored. "unknown": may or may not be stored, now or within the settle time (so
   * it may overwrite a later commit of this session), but never once a later generation has begun. The settle time
   * counts from when this promise settled.
   */
  commit(commits: readonly Commit[]): Promise<CommitResult>;
}

export interface Holder {
  /** Changes when another process takes the place. */
  readonly memberId: string;
  /** For how long after its place was taken this member may still begin creates. */
  readonly overlapMs: number;
}

export interface Commit {
  readonly topic: InputTopic;
  readonly partition: number;
  readonly offset: number;
  /** At most 1,024 characters, handed back as it was by `positions`. */
  readonly metadata: string;
}

export type CommitResult = "committed" | "superseded" | "unknown";

/** What is stored of a commit. */
export type Committed = Pick<Commit, "offset" | "metadata">;

export interface InputPosition {
  readonly topic: InputTopic;
  readonly partition: number;
  /** Null: no commit is stored (never made, or expired). */
  readonly committed: Committed | null;
  /** As in Bounds. */
  readonly logStart: number;
  readonly logEnd: number;
}

export type PositionsResult =
  | { readonly ok: true; readonly positions: readonly InputPosition[] }
  | { readonly ok: false; readonly reason: string };

/**
 * "ended": the session is over. "gap": reading can't continue at `expected`, nothing was delivered past it, and it
 * continues only after a `seek`. "deleted": the log starts after it. "truncated": the log ends before it, or holds other records
 * before it than were read. "recreated": the topic of this name is another one than when the session began.
 */
export type ReadResult =
  | { readonly kind: "records"; readonly records: readonly LogRecord[] }
  | { readonly kind: "ended" }
  | {
      readonly kind: "gap";
      readonly why: "deleted" | "truncated" | "recreated";
      readonly expected: number;
      readonly logStart: number;
      readonly logEnd: number;
    };

/** What `tail` needs of a log beside EventLog. */
export interface LogTail {
  /** Hands over records of a topic, all partitions, old ones first if `from` is "start", until the signal aborts. */
  tail(
    topic: Topic,
    from: "start" | "end",
    onRecords: (records: readonly LogRecord[]) => void,
    signal: AbortSignal,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
}

/** Where a worker keeps bytes that it could read again from the log: one piece for each partition. */
export interface SnapshotStore {
  /** Null: none, or it isn't whole. */
  load(partition: number): Promise<Uint8Array | null>;
  /** Replaces it, whole or not at all. A reason on failure. */
  save(partition: number, bytes: Uint8Array): Promise<AppendResult>;
}

// ── Who is served ───────────────────────────────────────────────────────────────────────────────

/** "paused": its records wait. "unlisted": not, or no longer, among those that are served. */
export type Standing = "served" | "paused" | "unlisted";

/** The tenants that this worker serves, ids in lower case. The answers may change at any time; then the listeners are called. */
export interface ServedTenants {
  standingOf(tenantId: string): Standing;
  /** The tenant's national cloud; of one that is no longer listed: as it was. A change may bring one that was none's before. */
  cloudOf(tenantId: string): string;
  /** All that tenants are in at present; at least one. */
  clouds(): readonly string[];
  /** Its own limit of creates in 20 s; 0: none; null: the one for all. */
  writesPer20sOf(tenantId: string): number | null;
  /** `tenantIds`: the tenants that may have changed. Called in the same turn as the change. */
  onChange(listener: (tenantIds: ReadonlySet<string>) => void): void;
}

// ── Clock and randomness ────────────────────────────────────────────────────────────────────────

export interface Clock {
  /** Monotonic milliseconds; for durations and deadlines. */
  nowMs(): number;
  /** Milliseconds since 1970; for timestamps and HTTP dates only. */
  wallMs(): number;
  /** Calls back once, not before `delayMs` passed; returns how to cancel it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Uniform in [0, 1). */
export type Random = () => number;
