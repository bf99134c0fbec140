/**
 * Tells an outage of Graph from the failure of single requests. A plain record that answers and never sleeps.
 *
 * 1. It opens only after `threshold` ill answers with no well one between them.
 * 2. While open nothing is sent; then one request at a time probes.
 * 3. One well answer closes it.
 */
import type { Random } from "../ports.ts";
import { type Backoff, backoffMs } from "./backoff.ts";

export interface Breaker {
  readonly threshold: number;
  readonly backoff: Backoff;
  illInARow: number;
  /** How often it opened without closing in between; 0: closed. */
  openings: number;
  openUntilMs: number;
}

export function createBreaker(threshold: number, backoff: Backoff): Breaker {
  return { threshold, backoff, illInARow: 0, openings: 0, openUntilMs: 0 };
}

export type BreakerState = "closed" | "open" | "probing";

export function breakerState(breaker: Breaker, nowMs: number): BreakerState {
  if (breaker.openings === 0) return "closed";
  return nowMs < breaker.openUntilMs ? "open" : "probing";
}

/** How many requests may be in flight now, given the ordinary maximum. */
export function requestsAllowed(breaker: Breaker, nowMs: number, max: number): number {
  const state = breakerState(breaker, nowMs);
  return state === "closed" ? max : state === "open" ? 0 : 1; // 2
}

/** Takes one answer in; says whether the state just changed. */
export function recordHealth(
  breaker: Breaker,
  health: "well" | "ill" | "neither",
  nowMs: number,
  random: Random,
): "opened" | "closed" | "unchanged" {
  if (health === "neither") return "unchanged";
  if (health === "well") {
    const wasOpen = breaker.openings > 0;
    breaker.illInARow = 0;
    breaker.openings = 0;
    return wasOpen ? "closed" : "unchanged"; // 3
  }
  breaker.illInARow++;
  const state = breakerState(breaker, nowMs);
  // Requests that were sent before it opened still report; they say nothing new.
  if (state === "open" || (state === "closed" && breaker.illInARow < breaker.threshold)) return "unchanged"; // 1
  breaker.openings++;
  breaker.openUntilMs =
    nowMs + breaker.backoff.baseMs / 2 + backoffMs(breaker.openings, random, breaker.backoff);
  return state === "closed" ? "opened" : "unchanged";
}
