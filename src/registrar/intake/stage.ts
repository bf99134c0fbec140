/**
 * Where a record stands in its life, and what its history has left behind. Data, and the questions asked of it; what leads
 * from stage to stage is in flow/transition.ts.
 *
 * 1. A record has one stage at a time. What others need to know of it (is it in work, may an object of it exist) is derived
 *    from the stage, never noted beside it.
 * 2. A stage is replaced, never changed.
 */
import type { GraphReply } from "../../graph-port.ts";
import type { Moment } from "../../moment.ts";

export type Stage = Plain | InDoubt | InConflict | Publishing;

/**
 * entered: read, not looked at yet. turned-away: no enrollment, or another partition's; that is on its way to the log.
 * queued: behind another record of its lane, or about to be looked at.
 * unpromised: waits for a commit that covers it. ready: in its tenant's queue. posting: in a request.
 * posting-lost: in a request, and its partition was lost meanwhile. backing-off: waits before it is looked at again.
 * paused: its tenant is, so it waits for a change of the tenants.
 * parking: on its way to the retry topic, where its copy was not read yet. settled: its outcome is durable. lost: another worker's affair.
 */
export interface Plain extends Life {
  readonly at:
    | "entered"
    | "turned-away"
    | "queued"
    | "unpromised"
    | "ready"
    | "posting"
    | "posting-lost"
    | "backing-off"
    | "paused"
    | "parking"
    | "settled"
    | "lost";
}

/** suspect: waits until the previous owner's requests have surely ended. reading-back: looked up in Graph. */
export interface InDoubt extends Life {
  readonly at: "suspect" | "reading-back";
  readonly doubt: Doubt;
}

/** Answered 409; what stands under its id is being read. */
export interface InConflict extends Life {
  readonly at: "conflict";
  readonly refusal: { readonly detail: string; readonly reply: GraphReply };
}

/** Its outcome is on its way to the log. */
interface Publishing extends Life {
  readonly at: "publishing";
  readonly outcome: "registered" | "dead-letter";
  /** Id of the object that is being registered for it: no other enrollment's. */
  readonly graphId: string | null;
}

export interface Life {
  /** A create of it may have been carried out, and that is not known yet. */
  readonly doubt: Doubt | null;
  /** Creates begun. */
  readonly attempts: number;
  /** When it was last posted; null: never. */
  readonly postedAt: Moment | null;
  readonly past: Past;
}

export interface Doubt {
  /** It was another owner's: nothing is read before its requests have ended and the ledger was read again. */
  readonly inherited: boolean;
  /** Whatever was created carries our id, so a read by id settles it. */
  readonly isHonoured: boolean;
  /** From here on (Clock.nowMs) a read that misses the object counts as evidence. */
  readonly absentAfterMs: number;
  /** Until then a create of an owner that vanished may still arrive; an honoured id need not wait for that, if a create follows. */
  readonly orphansUntilMs: number;
  readonly misses: number;
  readonly nextReadAtMs: number;
  /** Not to be read back: the next create, with the same id, tells. */
  readonly byCreate: boolean;
}

/** What earlier tries left behind. */
export interface Past {
  /** Creates of its tenant, and of all tenants, that had succeeded when it was taken in, or last failed. */
  readonly tenantCreates: number;
  readonly allCreates: number;
  /** Failures that are its own, as far as is known: others succeeded meanwhile. */
  readonly spent: number;
  /** What Graph said each time that it refused the record without a reason. */
  readonly vagueRefusals: readonly string[];
  /** Answered 409 before, and nothing stood under its id. */
  readonly wasConflict: boolean;
  /** A batch with it was refused as a whole: from now on it is posted by itself. */
  readonly goesAlone: boolean;
  /** Posted without id although ids are sent: to tell a server that refuses ids from a bad record. */
  readonly withoutId: boolean;
  /** A read by id said nothing: from now on it is looked up in lists. */
  readonly needsList: boolean;
  /** It counted as absent before this moment, on which a create was to follow; 0: it is certainly absent. As in Doubt. */
  readonly orphansUntilMs: number;
  /** How often it counted as absent by lists alone, since it was last read by its id. */
  readonly listMisses: number;
  /** It was refused for what the next owner may see otherwise: that one has to know of the dead letter. */
  readonly isRefusedHere: boolean;
}

const noRefusals: readonly string[] = [];

/** `tenantCreates`, `allCreates`: as in Past. */
export function enteredStage(doubt: Doubt | null, tenantCreates: number, allCreates: number): Stage {
  const past = {
    tenantCreates,
    allCreates,
    spent: 0,
    vagueRefusals: noRefusals,
    wasConflict: false,
    goesAlone: false,
    withoutId: false,
    needsList: false,
    orphansUntilMs: 0,
    listMisses: 0,
    isRefusedHere: false,
  };
  return { at: "entered", doubt, attempts: 0, postedAt: null, past };
}

/** May something of it be there that neither ledger nor position tells: an object, a dead letter? Then the next owner has to look. */
export function isTainted(stage: Stage): boolean {
  switch (stage.at) {
    case "posting":
    case "posting-lost":
    case "conflict":
      return true;
    // A dead letter may be on its way that the next owner, with other tenants, would not write.
    case "publishing":
      return true;
    case "settled":
      return stage.past.isRefusedHere;
    case "lost":
      return false;
    default:
      return stage.doubt !== null || stage.past.orphansUntilMs > 0;
  }
}

/** In a request, or on its way to an outcome: not to be parked any more. */
export function isBusy({ at }: Stage): boolean {
  return at === "posting" || at === "conflict" || at === "publishing";
}

/** A create of it may have made an object that no answer has shown yet. */
export function mayHaveMade(stage: Stage): boolean {
  if (stage.at === "publishing") return stage.attempts > 0 && stage.graphId === null;
  return stage.at === "posting" || stage.at === "conflict";
}

/** Id of the object that is about to be registered for it. */
export function claimedId(stage: Stage): string | null {
  return stage.at === "publishing" ? stage.graphId : null;
}
