/**
 * Who may ask Graph now. Creates and reads alike begin only when the breaker lets them, and tell it how they were answered.
 *
 * 1. While Graph, or one tenant, is being probed, one request at a time is under way: a create or a read.
 * 2. A read that is well says that Graph answers, not that it creates: while creates wait, it proves nothing.
 * 3. Those who had to wait are called with each answer, and when a time to wait is over. While Graph is probed, who is
 *    called first is left to chance, so that neither creates nor reads have all the probes.
 */

import {
  type BreakerState,
  breakerState,
  createBreaker,
  heldUntilMs,
  isSuspected,
  probed,
  recordHealth,
} from "../../policy/breaker.ts";
import type { BackoffPorts } from "../ports.ts";

type Health = "well" | "ill" | "neither";

export interface Gate {
  /** When a request of this tenant may begin; Infinity: when the probe that is under way was answered. */
  opensAtMs(tenantId: string): number;
  /** Only one request at a time, and that a small one. */
  isProbed(tenantId: string): boolean;
  /** Of those who could probe, others should be asked first. */
  isSuspected(tenantId: string): boolean;
  begin(tenantId: string): void;
  end(tenantId: string, health: Health, detail: string): void;
  endRead(tenantId: string, health: Health, detail: string): void;
  /** `wake`: look again at what had to wait, this tenant's or another's. */
  onOpening(wake: (tenantId: string) => void): void;
  /** Does any create wait or run, of the tenants of which `isOfIt` is true? */
  setCreatesWait(createsWait: (isOfIt: (tenantId: string) => boolean) => boolean): void;
  state(): BreakerState;
}

const breakerBackoff = { baseMs: 1_000, capMs: 30_000 };
const breakerThreshold = 8;

/** `cloudToName`: null while there is no other. */
export function createGate(
  { clock, random, observe }: BackoffPorts,
  cloudToName: () => string | null = () => null,
): Gate {
  const breaker = createBreaker(breakerThreshold, breakerBackoff);
  const underWay = new Map<string, number>();
  const wakers: ((tenantId: string) => void)[] = [];
  /** The time that a timer was last set for, by tenant. */
  const timers = new Map<string, number>();
  let inFlight = 0;
  let createsWait = (_isOfIt: (tenantId: string) => boolean) => false;
  const anybody = () => true;
  const told = (detail: string) => {
    const cloud = cloudToName();
    return cloud === null ? detail : `cloud ${cloud}: ${detail}`;
  };

  return {
    opensAtMs(tenantId) {
      const heldMs = heldUntilMs(breaker, tenantId);
      if (heldMs > clock.nowMs()) return heldMs;
      const probes = probed(breaker, tenantId);
      const isUnderWay = probes === "all" ? inFlight > 0 : underWay.has(tenantId);
      return probes !== "none" && isUnderWay ? Number.POSITIVE_INFINITY : heldMs; // 1
    },
    isProbed: (tenantId) => probed(breaker, tenantId) !== "none",
    isSuspected: (tenantId) => isSuspected(breaker, tenantId),
    begin(tenantId) {
      inFlight++;
      underWay.set(tenantId, (underWay.get(tenantId) ?? 0) + 1);
    },
    end,
    endRead(tenantId, health, detail) {
      end(tenantId, health === "well" && createsWait(anybody) ? "neither" : health, detail); // 2
    },
    onOpening: (wake) => void wakers.push(wake),
    setCreatesWait(ask) {
      createsWait = ask;
    },
    state: () => breakerState(breaker, clock.nowMs()),
  };

  function end(tenantId: string, health: Health, detail: string): void {
    inFlight--;
    const count = (underWay.get(tenantId) ?? 1) - 1;
    if (count === 0) underWay.delete(tenantId);
    else underWay.set(tenantId, count);
    const change = recordHealth(breaker, { tenantId, health, nowMs: clock.nowMs() }, random);
    if (change === "opened") observe({ kind: "breaker-opened", detail: told(detail) });
    if (change === "closed") observe({ kind: "breaker-closed" });
    wake(tenantId);
    const untilMs = heldUntilMs(breaker, tenantId);
    const nowMs = clock.nowMs();
    if (untilMs <= nowMs || timers.get(tenantId) === untilMs) return;
    timers.set(tenantId, untilMs);
    clock.after(untilMs - nowMs, () => wake(tenantId)); // 3
  }

  function wake(tenantId: string): void {
    const isReversed = probed(breaker, tenantId) !== "none" && random() < 0.5;
    for (const each of isReversed ? wakers.toReversed() : wakers) each(tenantId); // 3
  }
}
