/** Requests to Graph that wait as Graph asks, a bounded number of times and a bounded time. */
import type { Graph, GraphAnswer, GraphObject, GraphReply, ListReply } from "../../graph-port.ts";
import { backoffMs } from "../../policy/backoff.ts";
import { classify, type Verdict } from "../../policy/classify.ts";
import type { Clock, Random } from "../../ports.ts";
import { sleep } from "../../sleep.ts";

export interface AskParts {
  readonly graph: Graph;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** "blocked": nothing of this tenant succeeds until a permission, licence or credential changes. */
export interface Unanswered {
  readonly kind: "blocked" | "failed";
  /** One line for people; no secret. */
  readonly detail: string;
}

export type Listing =
  | {
      readonly kind: "listed";
      readonly objects: readonly GraphObject[];
      /** Null: these are all. Otherwise why there may be more: what is missing says nothing. */
      readonly incomplete: string | null;
    }
  | Unanswered;

const attemptsMax = 5;
/** A longer Retry-After is reported instead of waited for. */
const waitMaxMs = 60_000;
const retryBackoff = { baseMs: 500, capMs: 8_000 };

/** `neverUsed`: nothing was ever registered there, so Intune may not know the tenant: 404 is an empty list. */
export async function listWithRetry(parts: AskParts, tenantId: string, neverUsed: boolean): Promise<Listing> {
  const reply = await askWithRetry(parts, () => parts.graph.list(tenantId));
  if (reply.kind !== "answer") return reply;
  if (reply.status === 404 && neverUsed) return { kind: "listed", objects: [], incomplete: null };
  return { kind: "failed", detail: answerText(reply) };
}

/** The first reply that says something final. */
export async function askWithRetry<R extends GraphReply | ListReply>(
  parts: AskParts,
  request: () => Promise<R>,
): Promise<Exclude<R, { kind: "silence" }> | Unanswered> {
  for (let attempt = 1; ; attempt++) {
    const reply: GraphReply | ListReply = await request();
    const verdict = reply.kind === "listed" ? null : passing(reply, parts.clock.wallMs());
    if (verdict === null) return reply as Exclude<R, { kind: "silence" }>;
    const { detail } = verdict;
    if (verdict.kind === "tenant-blocked") return { kind: "blocked", detail };
    if (attempt >= attemptsMax) return { kind: "failed", detail: `${detail} (asked ${attempt} times)` };
    const askedMs = "afterMs" in verdict ? verdict.afterMs : null;
    if (askedMs !== null && askedMs > waitMaxMs) {
      return { kind: "failed", detail: `${detail} (asks to come back in ${Math.ceil(askedMs / 1000)} s)` };
    }
    const waitMs = askedMs ?? backoffMs(attempt, parts.random, retryBackoff);
    if (!(await sleep(parts.clock, waitMs, parts.signal))) return { kind: "failed", detail: "interrupted" };
  }
}

export function answerText({ status, errorCode, errorMessage }: GraphAnswer): string {
  return [String(status), errorCode, errorMessage.replaceAll(/\s+/g, " ").slice(0, 200)]
    .filter((part) => part !== "")
    .join(" ");
}

type Passing = Extract<Verdict, { kind: "throttled" | "unavailable" | "unknown" | "tenant-blocked" }>;

/** Why it is to be asked again, or not at all; null: the reply is final. */
function passing(reply: GraphReply, wallMs: number): Passing | null {
  if (reply.kind === "answer" && reply.status >= 200 && reply.status < 300) return null;
  const verdict = classify(reply, wallMs);
  switch (verdict.kind) {
    case "throttled":
    case "unavailable":
    case "unknown":
    case "tenant-blocked":
      return verdict;
    default:
      return null;
  }
}
