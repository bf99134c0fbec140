/** What can happen to a record, and what is to be done about it: the two alphabets of transition.ts. */
import type { Refusal } from "../../domain/refusal.ts";
import type { GraphObject, GraphReply } from "../../graph-port.ts";
import type { Moment } from "../../moment.ts";
import type { Verdict } from "../../policy/classify.ts";
import type { Standing } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import type { Doubt } from "../intake/stage.ts";

export type LifeEvent =
  // ── taken in ──
  /** It is not a valid enrollment. */
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** Its tenant's home is another partition. */
  | { readonly kind: "astray"; readonly home: number; readonly tenantId: string }
  /** The ledger holds its enrollment. */
  | { readonly kind: "known" }
  /** `mustPark`: earlier ones of its tenant wait in the retry topic, or its tenant is paused. */
  | { readonly kind: "accepted"; readonly mustPark: boolean }
  // ── its turn ──
  | Turn
  // ── a create ──
  | { readonly kind: "posted"; readonly at: Moment }
  | Answered
  // ── reading back ──
  | { readonly kind: "found"; readonly object: GraphObject; readonly reply: GraphReply | null }
  /** Read by id or in a whole list, and not there. `startedMs`: when that read began. */
  | {
      readonly kind: "missed";
      readonly by: "id" | "list";
      readonly startedMs: number;
      readonly atMs: number;
    }
  /** A list can't tell yet whose object it is. */
  | { readonly kind: "undecided"; readonly startedMs: number }
  /** A read by id said nothing about the object. */
  | { readonly kind: "unread"; readonly atMs: number }
  /** A read by id showed an object of another id. */
  | { readonly kind: "unlike"; readonly atMs: number }
  /** Its tenant's lists fail. `waitedMs`: for so long, or its tenant has been blocked for so long. */
  | { readonly kind: "unreadable"; readonly detail: string; readonly waitedMs: number }
  // ── the end ──
  /** The window is full, and its tenant is slow. */
  | { readonly kind: "room" }
  /** Its outcome is durable. */
  | { readonly kind: "appended" }
  /** Its copy was read in the retry topic. */
  | { readonly kind: "arrived" }
  /** The log has lost its copy in the retry topic, before it was read. */
  | { readonly kind: "copy-lost" }
  /** Its partition is no longer ours. */
  | { readonly kind: "lost" };

/**
 * It may continue: "first" of its lane, "promised" by a commit, "released" since the previous owner's requests have ended,
 * "rested" since its back-off is over, "reviewed" since its tenant is not served, or is again.
 */
export interface Turn {
  readonly kind: "first" | "promised" | "released" | "rested" | "reviewed";
  readonly standing: Standing;
  /** The ledger holds its enrollment by now. */
  readonly isRegistered: boolean;
  /** An earlier owner dead-lettered this record, and that was not committed. */
  readonly isDeadLettered: boolean;
  /** Of its enrollment, as of now: a copy may have raised or settled it. */
  readonly doubt: Doubt | null;
  readonly isReleased: boolean;
  readonly isPromised: boolean;
}

export interface Answered {
  readonly kind: "answered";
  readonly verdict: Verdict;
  readonly reply: GraphReply;
  readonly atMs: number;
  /** Null: it was created. */
  readonly tenant: TenantNow | null;
}

/** What is known of the tenant when a create was answered. */
export interface TenantNow {
  /** Creates of this tenant, and of all, that succeeded here, ever. */
  readonly creates: number;
  readonly allCreates: number;
  /** How long creates of it have been failing, none succeeding, while others were served. */
  readonly failingForMs: number;
  readonly blockedForMs: number;
  /** No other record of the tenant was posted and is still here. */
  readonly isAlone: boolean;
}

export type Effect =
  // ── outcomes ──
  | {
      readonly kind: "register";
      readonly object: GraphObject;
      /** By which answer: of the create, of the read after a 409, or of a read-back. */
      readonly shownBy: "created" | "conflict" | "read-back";
      readonly reply: GraphReply | null;
    }
  | { readonly kind: "dead-letter"; readonly refusal: Refusal; readonly reply: GraphReply | null }
  | { readonly kind: "move-home"; readonly home: number; readonly tenantId: string }
  | { readonly kind: "withdraw" }
  | { readonly kind: "park" }
  | { readonly kind: "say-duplicate" }
  | { readonly kind: "say-dead-lettered" }
  | { readonly kind: "settle"; readonly leavesLane: boolean }
  // ── its turn ──
  | { readonly kind: "enter-lane" }
  | { readonly kind: "await-release" }
  | { readonly kind: "await-promise" }
  | { readonly kind: "await-tenant" }
  | { readonly kind: "enqueue"; readonly where: "front" | "back" }
  /** At least this long; except for "none", the failures so far and chance add to it. */
  | {
      readonly kind: "back-off";
      readonly backoff: "none" | "retry" | "vague";
      readonly atLeastMs: number;
      readonly report: Failure | null;
    }
  // ── doubt ──
  | { readonly kind: "remember-doubt" }
  /** `handsOn`: the limits of the owner that it was inherited from still go with each commit. */
  | { readonly kind: "forget-doubt"; readonly handsOn: boolean }
  | { readonly kind: "read-back"; readonly notBeforeMs: number }
  | { readonly kind: "read-by-id" }
  // ── beyond the record ──
  | { readonly kind: "report"; readonly failure: Failure; readonly retryInMs: number }
  | { readonly kind: "block-tenant"; readonly detail: string }
  | { readonly kind: "fault"; readonly fault: Problem };

/** What is registered, and by which answer. */
export type Registering = Omit<Extract<Effect, { kind: "register" }>, "kind">;

/** An attempt that failed, as it is reported. */
export interface Failure {
  readonly verdict: Verdict["kind"];
  readonly detail: string;
  readonly reply: GraphReply;
}
