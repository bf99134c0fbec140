/** What the registrar says of its work: events for logs, metrics and tests. */
import type { GraphChange, GraphSilence } from "./graph-port.ts";
import type { CommitResult, InputTopic, Topic } from "./ports.ts";
import type { Problem } from "./problem.ts";

/** Where a record stands, for people: `connector.enrolled/3@1042`. */
export interface Position {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
}

/** What happened, for logs, metrics, progress and tests alike. Never holds a secret or a whole event. */
export type RegistrarEvent =
  | { readonly kind: "session-started"; readonly partitions: readonly number[] }
  | {
      readonly kind: "partition-gained";
      readonly partition: number;
      readonly suspects: number;
      readonly ledgerEntries: number;
    }
  | { readonly kind: "partition-kept"; readonly partition: number }
  /** The worker that held it may still run: its static place was taken, and nothing shows that it has ended. */
  | { readonly kind: "take-over-waits"; readonly partition: number; readonly forMs: number }
  | { readonly kind: "partition-lost"; readonly partition: number; readonly abandoned: number }
  | {
      readonly kind: "records-read";
      readonly topic: InputTopic;
      readonly partition: number;
      readonly count: number;
    }
  | {
      readonly kind: "record-refused";
      readonly at: Position;
      readonly code: string;
      readonly pointers: readonly string[];
    }
  | { readonly kind: "record-duplicate"; readonly at: Position; readonly idempotencyKey: string }
  /** Unsettled records are gone from the log, and the operator chose to continue. */
  | {
      readonly kind: "gap-passed";
      readonly topic: InputTopic;
      readonly partition: number;
      readonly detail: string;
    }
  /** An earlier owner dead-lettered it before it could commit that. */
  | { readonly kind: "dead-letter-found"; readonly at: Position }
  | { readonly kind: "record-rehomed"; readonly at: Position; readonly toPartition: number }
  | { readonly kind: "record-parked"; readonly at: Position; readonly tenantId: string }
  | {
      readonly kind: "record-registered";
      readonly at: Position;
      readonly tenantId: string;
      readonly idempotencyKey: string;
      readonly graphId: string;
      readonly outcome: "created" | "recovered";
      readonly attempts: number;
      /** From the record's timestamp to its durable registered record, wall clock. Null: the timestamp is none. */
      readonly ageMs: number | null;
    }
  | {
      readonly kind: "graph-request";
      readonly operation: "create" | "batch" | "list" | "get";
      readonly tenantId: string;
      readonly items: number;
      readonly durationMs: number;
      /** HTTP status of each item, or the silence's reason. */
      readonly results: readonly (number | GraphSilence["reason"])[];
    }
  | {
      readonly kind: "attempt-failed";
      readonly at: Position;
      readonly tenantId: string;
      readonly verdict: string;
      readonly detail: string;
      /** The next attempt begins no sooner; 0: it depends on others (a read, a probe). */
      readonly retryInMs: number;
      readonly requestId: string | null;
    }
  | {
      readonly kind: "read-back-failed";
      readonly tenantId: string;
      readonly detail: string;
      /** In a row, for this tenant. */
      readonly failures: number;
      readonly retryInMs: number;
    }
  /** Graph changes what it keeps of an enrollment; `what`: all that was seen so far. */
  | { readonly kind: "graph-normalises"; readonly what: readonly GraphChange[] }
  | { readonly kind: "tenant-blocked"; readonly tenantId: string; readonly detail: string }
  | { readonly kind: "tenant-unblocked"; readonly tenantId: string }
  | { readonly kind: "breaker-opened"; readonly detail: string }
  | { readonly kind: "breaker-closed" }
  | { readonly kind: "committed"; readonly result: CommitResult; readonly partitions: number }
  | {
      readonly kind: "log-failed";
      readonly operation: string;
      readonly reason: string;
      readonly retryInMs: number;
    }
  /** The brokers that are needed have not answered for some seconds. `broker`: host:port, or what could not be read or written. */
  | { readonly kind: "log-unreachable"; readonly broker: string; readonly reason: string }
  | { readonly kind: "log-reachable"; readonly forMs: number }
  /** The token for logins to the brokers can't be renewed. `leftMs`: for how long the old one is good. `fix`: "" where it may pass. */
  | {
      readonly kind: "log-token-failed";
      readonly reason: string;
      readonly fix: string;
      readonly leftMs: number;
    }
  | { readonly kind: "log-token-renewed"; readonly forMs: number }
  | {
      readonly kind: "duplicate-objects";
      readonly tenantId: string;
      readonly idempotencyKey: string;
      readonly ids: readonly string[];
    }
  | ({ readonly kind: "fault" } & Problem);

export type Observer = (event: RegistrarEvent) => void;
