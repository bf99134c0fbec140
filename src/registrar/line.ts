/**
 * One tenant's line to Graph: what waits, and what its answers said about the tenant.
 *
 * 1. One exchange is one piece of news, however many records shared it.
 * 2. Throttling closes the line for exactly as long as Graph asked, else with growing back-off. A blocked tenant is
 *    asked again now and then, so that it heals by itself.
 */
import { backoffMs } from "../policy/backoff.ts";
import type { Verdict } from "../policy/classify.ts";
import { closeUntil, createPacing, learn, type Pacing, type Taken } from "../policy/pacing.ts";
import type { Clock, Observer, Random } from "../ports.ts";
import { isLive, type Work } from "./partition.ts";

export interface Line {
  readonly tenantId: string;
  readonly pacing: Pacing;
  readonly ready: Work[];
  /** Creates of this tenant that succeeded here, ever. */
  creates: number;
  throttledInARow: number;
  blockedInARow: number;
  blockedSinceMs: number;
  /** Requests under way. */
  inFlight: number;
  /** In turn for a request slot, or waiting for a timer that puts it there. */
  state: "idle" | "turn" | "timed";
}

export interface LinePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
}

const paceWindowMs = 20_000;
const throttledBackoff = { baseMs: 500, capMs: 60_000 };
const blockedBackoff = { baseMs: 5_000, capMs: 300_000 };
/** So many throttled exchanges in a row, with nothing accepted in between, tell a limit from a passing fault. */
const persistentRefusals = 3;

export function createLine(tenantId: string, writesPer20s: number): Line {
  const pacing = createPacing(writesPer20s, paceWindowMs);
  const counts = { creates: 0, throttledInARow: 0, blockedInARow: 0, blockedSinceMs: 0, inFlight: 0 };
  return { tenantId, pacing, ready: [], ...counts, state: "idle" };
}

/** Then it is tried with a single record at a time. */
export function isInTrouble(line: Line): boolean {
  return line.throttledInARow > 0 || line.blockedInARow > 0;
}

/** What is in front; those who let go meanwhile are forgotten. */
export function firstLive({ ready }: Line): Work | undefined {
  const at = ready.findIndex(isLive);
  ready.splice(0, at < 0 ? ready.length : at);
  return ready[0];
}

/** Takes up to `count` off the front. Looks at no more of the line than that: it may be long. */
export function takeLive({ ready }: Line, count: number): Work[] {
  const works: Work[] = [];
  let passed = 0;
  for (; passed < ready.length && works.length < count; passed++) {
    const work = ready[passed]!;
    if (isLive(work)) works.push(work);
  }
  ready.splice(0, passed);
  return works;
}

export function takeIn(line: Line, verdicts: readonly Verdict[], taken: Taken, ports: LinePorts): void {
  const creates = verdicts.filter(({ kind }) => kind === "created").length;
  if (creates > 0) succeed(line, creates, ports);
  const throttled = verdicts.filter((verdict) => verdict.kind === "throttled");
  if (throttled.length > 0) throttle(line, throttled, taken, ports); // 1
  for (const verdict of verdicts) {
    if (verdict.kind === "unavailable") closeUntil(line.pacing, ports.clock.nowMs() + (verdict.afterMs ?? 0)); // 2
    if (verdict.kind === "tenant-blocked") blockLine(line, verdict.detail, ports);
  }
}

export function blockLine(line: Line, detail: string, { clock, random, observe }: LinePorts): void {
  const nowMs = clock.nowMs();
  if (line.blockedInARow > 0 && nowMs < line.pacing.closedUntilMs) return; // 1
  line.blockedInARow++;
  if (line.blockedInARow === 1) {
    line.blockedSinceMs = nowMs;
    observe({ kind: "tenant-blocked", tenantId: line.tenantId, detail });
  }
  const waitMs = blockedBackoff.baseMs / 2 + backoffMs(line.blockedInARow, random, blockedBackoff);
  closeUntil(line.pacing, nowMs + waitMs); // 2
}

function succeed(line: Line, creates: number, { observe }: LinePorts): void {
  line.creates += creates;
  line.throttledInARow = 0;
  if (line.blockedInARow > 0) observe({ kind: "tenant-unblocked", tenantId: line.tenantId });
  line.blockedInARow = 0;
}

function throttle(
  line: Line,
  throttled: readonly { readonly afterMs: number | null }[],
  taken: Taken,
  { clock, random }: LinePorts,
): void {
  const nowMs = clock.nowMs();
  line.throttledInARow++;
  taken.refused += throttled.length;
  const isUntold = throttled.every(({ afterMs }) => afterMs === null);
  if (isUntold) learn(line.pacing, line.throttledInARow >= persistentRefusals, nowMs);
  const askedMs = Math.max(...throttled.map(({ afterMs }) => afterMs ?? 0));
  closeUntil(line.pacing, nowMs + (askedMs || backoffMs(line.throttledInARow, random, throttledBackoff))); // 2
}
