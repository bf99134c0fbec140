/**
 * Tells an outage of Graph from the failure of single tenants or records. A plain record that answers and never sleeps.
 *
 * 1. A tenant's circuit opens after `threshold` ill answers to it in a row, or after fewer over a longer time: with
 *    one record waiting, or with slow answers, the threshold would be reached late. It holds that tenant only.
 * 2. INV-ISOLATION: the circuit of all opens after `threshold` ill answers in a row, of all tenants together, if at least
 *    `othersMin` of them went to other tenants than the one with the most: one tenant that always fails is not an outage,
 *    and never stops another.
 * 3. While a circuit is open nothing is sent; then one request at a time probes.
 * 4. One well answer closes the circuit of its tenant and that of all. If that of all was open, the tenants' go with
 *    it: they were ill because Graph was.
 * 5. With a single tenant in work, its trouble and an outage look alike. It is reported as an outage until a tenant gets a
 *    well answer.
 */
import type { Random } from "../ports.ts";
import { type Backoff, backoffMs } from "./backoff.ts";

/** Ill answers in a row. */
interface Streak {
  count: number;
  firstMs: number;
  lastMs: number;
}

interface Circuit {
  ill: Streak;
  /** How often it opened without closing in between; 0: closed. */
  openings: number;
  openUntilMs: number;
}

export interface Breaker {
  readonly threshold: number;
  readonly backoff: Backoff;
  all: Circuit;
  /** Those whose last answer was ill. */
  readonly tenants: Map<string, Circuit>;
  /** Ill answers since the last well one of any tenant, by tenant. */
  readonly illSinceWell: Map<string, Streak>;
}

const othersMin = 2;
/** So many ill answers, the last so long after the first, are enough. */
const fewMin = 3;
const fewForMs = 5_000;

export function createBreaker(threshold: number, backoff: Backoff): Breaker {
  return { threshold, backoff, all: closed(), tenants: new Map(), illSinceWell: new Map() };
}

function closed(): Circuit {
  return { ill: noStreak(), openings: 0, openUntilMs: 0 };
}

function noStreak(): Streak {
  return { count: 0, firstMs: 0, lastMs: 0 };
}

function extend(streak: Streak, nowMs: number): void {
  if (streak.count === 0) streak.firstMs = nowMs;
  streak.count++;
  streak.lastMs = nowMs;
}

function isLasting({ threshold }: Breaker, { count, firstMs, lastMs }: Streak): boolean {
  return count >= threshold || (count >= fewMin && lastMs - firstMs >= fewForMs);
}

export type BreakerState = "closed" | "open" | "probing";

/** As reported to people. */
export function breakerState(breaker: Breaker, nowMs: number): BreakerState {
  const circuit = reported(breaker);
  if (circuit === null) return "closed";
  return nowMs < circuit.openUntilMs ? "open" : "probing";
}

/** Before this time nothing may be sent to the tenant. */
export function heldUntilMs(breaker: Breaker, tenantId: string): number {
  const { all, tenants } = breaker;
  return Math.max(all.openUntilMs, tenants.get(tenantId)?.openUntilMs ?? 0); // 3
}

/** The tenants for which only one request at a time may be under way. */
export function probed(breaker: Breaker, tenantId: string): "all" | "tenant" | "none" {
  if (breaker.all.openings > 0) return "all"; // 3
  return (breaker.tenants.get(tenantId)?.openings ?? 0) > 0 ? "tenant" : "none"; // 3
}

/** Did the last answers to this tenant say nothing else? A probe of all had better ask another one. */
export function isSuspected({ illSinceWell }: Breaker, tenantId: string): boolean {
  return illSinceWell.has(tenantId);
}

export interface Health {
  readonly tenantId: string;
  readonly health: "well" | "ill" | "neither";
  readonly nowMs: number;
}

/** Takes one answer in; says whether what is reported just changed. */
export function recordHealth(
  breaker: Breaker,
  { tenantId, health, nowMs }: Health,
  random: Random,
): "opened" | "closed" | "unchanged" {
  if (health === "neither") return "unchanged";
  const before = reported(breaker);
  if (health === "well") recordWell(breaker, tenantId);
  else recordIll(breaker, { tenantId, nowMs }, random);
  const after = reported(breaker);
  if ((before === null) === (after === null)) return "unchanged";
  return after === null ? "closed" : "opened";
}

function recordWell(breaker: Breaker, tenantId: string): void {
  if (breaker.all.openings > 0)
    breaker.tenants.clear(); // 4
  else breaker.tenants.delete(tenantId);
  breaker.all = closed();
  breaker.illSinceWell.clear();
}

function recordIll(
  breaker: Breaker,
  { tenantId, nowMs }: Pick<Health, "tenantId" | "nowMs">,
  random: Random,
): void {
  const open = (circuit: Circuit) => openCircuit(circuit, breaker.backoff, { nowMs, random });
  const { threshold, all, tenants, illSinceWell } = breaker;
  const tenant = tenants.get(tenantId) ?? closed();
  tenants.set(tenantId, tenant);
  extend(tenant.ill, nowMs);
  if (isLasting(breaker, tenant.ill)) open(tenant); // 1
  const sinceWell = illSinceWell.get(tenantId) ?? noStreak();
  illSinceWell.set(tenantId, sinceWell);
  extend(sinceWell, nowMs);
  extend(all.ill, nowMs);
  const others = all.ill.count - Math.max(...[...illSinceWell.values()].map(({ count }) => count));
  if (all.ill.count >= threshold && others >= othersMin) open(all); // INV-ISOLATION
}

function openCircuit(
  circuit: Circuit,
  backoff: Backoff,
  { nowMs, random }: { readonly nowMs: number; readonly random: Random },
): void {
  // Requests that were sent before it opened still report; they say nothing new.
  if (nowMs < circuit.openUntilMs) return;
  circuit.openings++;
  circuit.openUntilMs = nowMs + backoff.baseMs / 2 + backoffMs(circuit.openings, random, backoff);
}

/** Null: Graph is well as far as is known. */
function reported(breaker: Breaker): Circuit | null {
  const { all, tenants, illSinceWell } = breaker;
  if (all.openings > 0) return all;
  // What lasts so long has opened the tenant's own.
  for (const [tenantId, ill] of illSinceWell) if (isLasting(breaker, ill)) return tenants.get(tenantId)!; // 5
  return null;
}
