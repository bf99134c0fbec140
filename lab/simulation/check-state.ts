/** What the checks of records know so far. */
import type { LogRecord, Standing } from "../../src/ports.ts";
import type { Lost } from "./check-lost.ts";
import type { Pauses } from "./check-pauses.ts";
import type { GraphFindings, Run } from "./check-run.ts";
import type { KnownInputs } from "./origins.ts";
import type { Input } from "./workload.ts";

export interface Registered {
  readonly graphId: string;
  readonly key: string;
  /** All that may not differ between two records of one identity. */
  readonly fixed: string;
}

export interface DeadLetter {
  readonly code: string;
  /** The process that stored it. */
  readonly by: string;
  /** It was decided, maybe, before its worker stood still past the settle time: another one knows nothing of it. */
  readonly isHeldBack: boolean;
}

/** Who is served, by the tenants' lists. */
export interface Lists {
  /** By worker: what its list says now. */
  readonly standings: Map<string, ReadonlyMap<string, Standing>>;
  /** By worker: whom its list lacked at some time. */
  readonly unlisted: Map<string, Set<string>>;
}

/** What a record is judged by. */
export interface Evidence {
  readonly run: Run;
  readonly graph: GraphFindings;
  readonly state: RecordState;
}

export interface RecordState {
  readonly registered: Map<number, Registered>;
  readonly identityOfKey: Map<string, number>;
  /** How many records the enrolled topic has had at a place so far: more than one where it was made again. */
  readonly arrived: Map<string, number>;
  /** By the refused input. */
  readonly dead: Map<Input, DeadLetter>;
  /** The dead letter of one of these is about the input as well: it was read at the same place, with the same bytes. */
  readonly sameAtItsPlace: ReadonlyMap<Input, readonly Input[]>;
  /** Identities that were given an object of one whose record the log had lost. */
  readonly adopted: Set<number>;
  /** The copies of each input, in order of storing, and which of them a record is. */
  readonly copies: Map<Input, LogRecord[]>;
  /** Inputs of which a copy stands in their tenant's home partition: an input of its own, which is asked for instead. */
  readonly movedHome: Set<Input>;
  /** Inputs that a registered record says it is about. */
  readonly registeredFrom: Set<Input>;
  readonly lists: Lists;
  readonly pauses: Pauses;
  readonly partitions: Map<string, PartitionCheck>;
  /** Topics that were made again, while no worker has said so. */
  readonly madeAgain: Set<LogRecord["topic"]>;
  readonly lost: Lost;
}

export function isDeadLettered({ dead, sameAtItsPlace }: RecordState, input: Input): boolean {
  return dead.has(input) || (sameAtItsPlace.get(input) ?? []).some((other) => dead.has(other));
}

/** Records of one input partition, in order, and how many of them committed offsets have passed. */
export interface PartitionCheck {
  records: LogRecord[];
  passed: number;
  /**
   * The log lost all from here on. Until a worker has said so, and one has begun again within what is left, what is
   * committed is about a log that is no more. Null: nothing was lost, or that is over.
   */
  lostFrom: { readonly offset: number; isTold: boolean } | null;
}

/** What has arrived by now. */
export function knownBy({ run, state }: Evidence): KnownInputs {
  return { inputsAt: run.inputsAt, arrived: state.arrived };
}
