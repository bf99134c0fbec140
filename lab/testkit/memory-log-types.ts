/** The log in memory and its one member, as tests see them. */
import type {
  Clock,
  Commit,
  CommitResult,
  Committed,
  EventLog,
  Holder,
  InputTopic,
  LogRecord,
  Membership,
  NewRecord,
  PositionsResult,
  Session,
  Topic,
} from "../../src/ports.ts";

export type Operation = "append" | "commit" | "scan" | "positions" | "survey";

export type Failure = { readonly ok: false; readonly reason: string };

export interface MemoryLog {
  readonly partitionCount: number;
  /** A member's view; `isDead` cuts it off. */
  connect(clock: Clock, isDead: () => boolean): { readonly log: EventLog; readonly member: Member };
  store(record: NewRecord): LogRecord;
  records(topic: Topic, partition?: number): readonly LogRecord[];
  /** Retention: takes the records below `offset`. */
  truncate(topic: Topic, partition: number, offset: number): void;
  /** A loss on the brokers' side: takes the records from `offset` on. */
  cutEnd(topic: Topic, partition: number, offset: number): void;
  /** Compaction: takes one record from the middle. */
  compact(topic: Topic, partition: number, offset: number): void;
  committed(topic: InputTopic, partition?: number): Committed | null;
  commitBefore(commit: Commit): void;
  /** Every request that arrived. */
  readonly appends: (readonly NewRecord[])[];
  readonly commits: (readonly Commit[])[];
  readonly scans: { readonly topic: Topic; readonly partition: number; readonly from: number }[];
  /** Next commits, in turn: how they end. "unknown" is not stored; "unknown, stored" is; a number: stored so much later. */
  readonly commitScript: ("committed" | "superseded" | "unknown" | "unknown, stored" | number)[];
  /** Next appends, in turn: "lost" stores nothing, "unacknowledged" stores all, both fail. */
  readonly appendScript: ("stored" | "lost" | "unacknowledged")[];
  readonly scanScript: Failure[];
  readonly positionsScript: Failure[];
  /** Of each topic: another one stands for a topic that was made again. */
  readonly topicIds: Record<Topic, string | null>;
  /** Requests of this kind wait, without effect, until the returned function is called. */
  hold(operation: Operation): () => void;
  /** Of what is stored from now on. */
  leaderEpoch: number;
  /** The current generation of the group: commits of an older one are superseded. */
  generation: number;
  /** @internal for memory-member.ts */
  readonly broker: Broker;
}

export interface Broker {
  reach(operation: Operation): Promise<void>;
  at(topic: Topic, partition: number): Partition;
  onStored(listener: () => void): void;
  commit(commits: readonly Commit[], isCurrent: () => boolean): CommitResult;
  positions(partitions: readonly number[]): PositionsResult;
}

export interface Partition {
  records: LogRecord[];
  start: number;
  end: number;
}

export interface Member {
  /** What the first session holds; default: every partition. Null: it does not begin by itself. */
  first: readonly number[] | null;
  /** The session, if any, ends, and the next one begins with these partitions, under a new generation. */
  rebalance(partitions: readonly number[]): void;
  /** The worker learns that its session is over; the next one is yet to begin. */
  endSession(): void;
  /** How long an acknowledged commit of its sessions holds their partitions. */
  leaseMs: number;
  /** Of a static member; null: it is none. */
  holder: Holder | null;
  /** Members that came into the generation by themselves. */
  joinedBy: readonly string[];
  failMembership(reason: string): void;
  hasLeft(): boolean;
  join(onSession: (session: Session) => void, onFailure: (reason: string) => void, clock: Clock): Membership;
}
