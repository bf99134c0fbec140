/**
 * The index: a read model of the four topics, one row an enrollment, for people and programs that ask what became of one.
 *
 * 1. It never feeds back into the worker: nothing here is needed to register, and all of it can be built from the topics again.
 * 2. Rows and the positions up to which they were read are stored together, so a process that was killed continues where it stopped.
 * 3. Registered wins over refused, refused over waiting; an event that came after the refusal waits again.
 * 4. Values are as producers wrote them: hostile input. Pages and files must escape them.
 */
import type { Position } from "../observer.ts";
import type { Topic } from "../ports.ts";

export const enrollmentStates = ["waiting", "registered", "refused"] as const;
export type EnrollmentState = (typeof enrollmentStates)[number];

/** Its event was read, and no outcome of it. */
export interface WaitingDetails {
  /** Where it stands now: in the input topic, or parked in the retry topic. */
  readonly position: Position;
}

export interface RegisteredDetails {
  readonly graphId: string;
  /** Graph's request-id of the answer. */
  readonly requestId: string | null;
  /** HTTP status of the answer. */
  readonly status: number | null;
  readonly outcome: "created" | "recovered";
  /** Create requests sent by the worker that reports. */
  readonly attempts: number;
  /** When it was registered. */
  readonly atMs: number;
  /** Of the registered record. */
  readonly position: Position;
}

export interface RefusedDetails {
  /** The dead letter's id, where the record first was: `enrolled/3/1042`. `replay --id` takes it. */
  readonly id: string;
  readonly code: string;
  readonly message: string;
  /** JSON pointers into the event. */
  readonly pointers: readonly string[];
  readonly attempts: number;
  readonly requestId: string | null;
  readonly atMs: number;
  /** It was put back into the input since. */
  readonly replayed: boolean;
  /** Of the dead letter in the dead-letter topic. */
  readonly position: Position;
}

export interface Enrollment {
  /** Lasting, unique: the key; of a dead letter in which no enrollment can be read, its id. */
  readonly id: string;
  /** Idempotency key; null: none can be read. */
  readonly key: string | null;
  /** Lower case. Where no enrollment can be read: what the record's key says, or null. */
  readonly tenantId: string | null;
  readonly machineName: string | null;
  readonly connectorName: string | null;
  readonly enrollmentDateTime: string | null;
  /** CloudEvents id and source of the event. */
  readonly eventId: string | null;
  readonly source: string | null;
  readonly state: EnrollmentState;
  /** Of the state: when it was registered or refused, or its event produced. Milliseconds since 1970; 0: unknown. */
  readonly atMs: number;
  /** Where its event was first stored. */
  readonly position: Position | null;
  /** When its event was produced. */
  readonly enrolledAtMs: number | null;
  readonly waiting: WaitingDetails | null;
  readonly registered: RegisteredDetails | null;
  /** Its latest dead letter, also of one that waits again or was registered since. */
  readonly refused: RefusedDetails | null;
}

/** All that is given must hold. Texts are compared whole; machine names in any case. */
export interface SearchQuery {
  /** Several: any of them. Lower case. Empty: nothing is found. */
  readonly tenantIds?: readonly string[];
  readonly machineName?: string;
  readonly connectorName?: string;
  readonly graphId?: string;
  readonly key?: string;
  readonly eventId?: string;
  /** Code of its latest dead letter. */
  readonly code?: string;
  readonly state?: EnrollmentState;
  /** `atMs` at or after this, and before that. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** At most this many rows; 1 to 1000. */
  readonly limit: number;
  /** `next` of the page before. One that can't be read begins at the start. */
  readonly after?: string | null;
}

export interface SearchResult {
  /** Latest `atMs` first. */
  readonly rows: readonly Enrollment[];
  /** Null: there are no more. */
  readonly next: string | null;
}

export interface IndexCounts {
  readonly waiting: number;
  readonly registered: number;
  readonly refused: number;
  /** Dead letters by code, most first. `open`: neither replayed nor registered since. */
  readonly deadLetters: readonly { readonly code: string; readonly total: number; readonly open: number }[];
}

/** Enrollments of one tenant. Records in which no tenant can be read are none's. */
export interface TenantCounts {
  readonly tenantId: string;
  readonly waiting: number;
  readonly registered: number;
  readonly refused: number;
}

/** What happened in one minute, by the times in the records. */
export interface Minute {
  /** Where it begins, milliseconds since 1970. */
  readonly atMs: number;
  /** Records in the input topic, of any kind. */
  readonly events: number;
  readonly registered: number;
  readonly refused: number;
}

export interface IndexProgress {
  /** It has read to the end of all topics once since it was opened. Until then, what it does not find may still be there. */
  readonly caughtUp: boolean;
  /** Records that were there at the last check and are not read yet; null: no check yet. */
  readonly behindRecords: number | null;
  /** When it last had read all that was there, wall clock; null: never since it was opened. */
  readonly caughtUpAtMs: number | null;
  /** Why the topics can't be read at present; null: they can. It keeps trying. */
  readonly trouble: string | null;
}

export interface EnrollmentIndex {
  /** By idempotency key, in any case, or by the id of a dead letter (`enrolled/3/1042`). */
  find(id: string): Enrollment | null;
  search(query: SearchQuery): SearchResult;
  counts(): IndexCounts;
  /** Of all tenants that have any, by their ids. */
  tenantCounts(): readonly TenantCounts[];
  /** The last `count` minutes (at most 180), oldest first, the present one last. */
  minutes(count: number): readonly Minute[];
  /**
   * Calls back once, when the next outcome of this key is read that makes it registered or refused; returns how to cancel it.
   * Null: too many wait already (`waitersMax`). Ask `find` first: a known outcome is not reported again.
   */
  whenSettled(key: string, listener: (settled: Enrollment) => void): (() => void) | null;
  progress(): IndexProgress;
}

/** What was read of one topic: of each partition, from the first offset that was there up to `to`, which was not read yet. */
export interface TopicRange {
  /** Null: this log has no such ids. */
  readonly id: string | null;
  readonly partitions: readonly { readonly from: number; readonly to: number }[];
}

export type Ranges = Readonly<Record<Topic, TopicRange>>;

export interface HoldableIndex extends EnrollmentIndex {
  /**
   * Runs something while nothing is read, so that all it finds is as of one moment: `ranges`. Those who wait for outcomes wait for it too.
   * Ask only an index that has caught up.
   */
  hold<T>(run: (ranges: Ranges) => Promise<T>): Promise<T>;
}

/** One that reads the topics in this thread. */
export interface ReadingIndex extends HoldableIndex {
  /** Reads on until the signal aborts. Never throws; failures are in `progress().trouble` and go to `onNote`. Once at a time. */
  follow(signal: AbortSignal): Promise<void>;
  /** Reads to the end of the topics as of now, once. False: the signal aborted, or it can't (`progress().trouble`). */
  catchUp(signal: AbortSignal): Promise<boolean>;
  /** Another view of its file found it damaged: it is made again in the next reading. */
  damaged(why: string): void;
  /** After `follow` and `catchUp` have ended. */
  close(): void;
}
