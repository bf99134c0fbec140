/** The registrar's settings, fixed at start; the defaults are in config/table.ts. Adapters get their own settings. */
import type { ServedTenants } from "../ports.ts";

export interface RegistrarSettings {
  /** Who is served. The object is fixed; its answers may change. */
  readonly tenants: ServedTenants;
  /** Send the idempotency key as the object's id. */
  readonly sendId: boolean;
  /** The Graph adapter's bound on one exchange. */
  readonly requestTimeoutMs: number;
  /** The EventLog adapter's bound on one append. */
  readonly publishTimeoutMs: number;
  /** How long after a take-over everything that the previous owner began has surely ended. */
  readonly settleMs: number;
  /** For how long the kernel of a worker that vanished may continue to send a request of it. */
  readonly orphanMs: number;
  /** Requests to Graph in flight, all tenants. */
  readonly maxInFlight: number;
  /** Records in one request, 1..20. */
  readonly batchMax: number;
  /** Writes per tenant in 20 s, unless it has a limit of its own; 0: no limit. */
  readonly writesPer20s: number;
  /** Lists of one tenant's objects in 20 s; 0: no limit. A list is a request for each hundred objects or so. */
  readonly listsPer20s: number;
  /** Unsettled records held per input partition. */
  readonly windowRecords: number;
  /** How many records beyond those read each commit promises. */
  readonly attemptAhead: number;
  /** Failures of one record while others of its tenant succeed, before it is dead-lettered. */
  readonly maxAttempts: number;
  /** How long a tenant may be blocked before its records are dead-lettered: counted from its first refusal, not from a record's age. */
  readonly tenantBlockedMaxMs: number;
  /** Read-backs that must all miss an object before it counts as not created, and the time between them. */
  readonly rereadCount: number;
  readonly rereadDelayMs: number;
  /** The least time between two ordinary commits. */
  readonly commitIntervalMs: number;
  /** How often ledgers are looked at for saving, and how many new entries make one worth it. */
  readonly snapshotIntervalMs: number;
  readonly snapshotEntriesMin: number;
  /** What to do when the log no longer holds some unsettled records. */
  readonly onRetentionGap: "stop" | "continue";
  /** Defences to do without, in the simulation only: those that no port or other setting can take away. */
  readonly sabotage?: ReadonlySet<
    | "home-partition"
    | "machine-order"
    | "suspects-by-identity"
    | "claimed-objects"
    | "form-of-others"
    | "parked-unseen"
    | "dead-letters-unread"
    | "late-dead-letters"
    | "ids-of-others"
    | "end-in-take-over"
    | "unlisted-unread"
    | "lists-alone"
  >;
}
