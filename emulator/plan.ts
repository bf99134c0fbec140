/** How a request that has arrived is to fare on its way: time, the connection's faults, and the fault for Graph itself. */

import {
  type AnswerFault,
  type BatchFault,
  drawBatchFault,
  drawLatencyMs,
  drawRequestFault,
  type Faults,
  type TransportFault,
} from "./faults.ts";
import type { Random } from "./random.ts";

/** What something between client and Graph answers in its place: 200 and 400 with HTML, 302. */
export type Page = "portal" | "refusal" | "redirect";

export interface Plan {
  /** From the request's arrival to its effect, and from there to the reply. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** False: nothing reaches Graph, `perform` is not to be called. */
  readonly reaches: boolean;
  /** False: no effect if the client hung up before it was due. */
  readonly survivesHangUp: boolean;
  readonly delivery: "whole" | "truncated" | "reset" | Page;
  /** For `perform`. */
  readonly fault: AnswerFault | BatchFault | null;
}

/** What is to happen to a request that has arrived: the transport's faults, latency, and the fault for `perform`. */
export function planRequest(faults: Faults, isBatch: boolean, random: Random): Plan {
  const fault = isBatch ? drawBatchFault(faults, random) : drawRequestFault(faults, random);
  const latencyMs = drawLatencyMs(faults.latency, random);
  // Where a request's time goes decides what a client that gives up leaves behind: both cases are to occur.
  const effectFirst = latencyMs > 0 && random() < 0.5;
  const plan: Plan = {
    beforeMs: effectFirst ? 0 : latencyMs,
    afterMs: effectFirst ? latencyMs : 0,
    reaches: true,
    survivesHangUp: true,
    delivery: "whole",
    fault: null,
  };
  return fault === null ? plan : withFault(plan, fault, faults);
}

function withFault(plan: Plan, fault: AnswerFault | TransportFault | BatchFault, faults: Faults): Plan {
  switch (fault) {
    case "resetBefore":
      return { ...plan, reaches: false, delivery: "reset" };
    case "resetAfter":
      return { ...plan, delivery: "reset" };
    case "truncated":
      return { ...plan, delivery: "truncated" };
    case "slowBefore":
      return { ...plan, beforeMs: faults.slowMs, afterMs: 0, survivesHangUp: faults.effectAfterHangUp };
    case "portal":
    case "redirect":
      return { ...plan, reaches: false, delivery: fault };
    case "htmlBefore":
      return { ...plan, reaches: false, delivery: "refusal" };
    case "htmlAfter":
      return { ...plan, delivery: "refusal" };
    case "slowAfter":
      return { ...plan, beforeMs: 0, afterMs: faults.slowMs };
    default:
      return { ...plan, fault };
  }
}
