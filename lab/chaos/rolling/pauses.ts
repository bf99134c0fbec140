/** For how long each tenant stood still while it had work: from its last registration, or from where its work began, to its next. Pure. */
import type { TimeSpan } from "../../simulation/time-span.ts";

/** One enrollment, by the times at which the broker stored its two records. */
export interface Enrolled {
  readonly tenantId: string;
  readonly enrolledAtMs: number;
  readonly registeredAtMs: number;
}

export interface Pause extends TimeSpan {
  readonly tenantId: string;
}

/** Those of no length are left out. */
export function pausesOf(enrollments: readonly Enrolled[]): readonly Pause[] {
  return [...Map.groupBy(enrollments, ({ tenantId }) => tenantId).values()].flatMap(pausesOfTenant);
}

function pausesOfTenant(enrollments: readonly Enrolled[]): readonly Pause[] {
  const pauses: Pause[] = [];
  const latestFirst = enrollments.toSorted((a, b) => b.registeredAtMs - a.registeredAtMs);
  let workSinceMs = Number.POSITIVE_INFINITY;
  for (const [index, { tenantId, enrolledAtMs, registeredAtMs }] of latestFirst.entries()) {
    // Of all that was not registered yet before this one was.
    workSinceMs = Math.min(workSinceMs, enrolledAtMs);
    const formerMs = latestFirst[index + 1]?.registeredAtMs ?? Number.NEGATIVE_INFINITY;
    const fromMs = Math.max(formerMs, workSinceMs);
    if (fromMs < registeredAtMs) pauses.push({ tenantId, fromMs, untilMs: registeredAtMs });
  }
  return pauses;
}

/** Milliseconds; 0: there was none. `within`: those that lie in the window as a whole; else those that touch it too. */
export function longestMs(pauses: readonly Pause[], window: TimeSpan, within: boolean): number {
  const counts = ({ fromMs, untilMs }: Pause): boolean =>
    within
      ? fromMs >= window.fromMs && untilMs <= window.untilMs
      : untilMs > window.fromMs && fromMs < window.untilMs;
  return pauses
    .filter(counts)
    .reduce((longest, { fromMs, untilMs }) => Math.max(longest, untilMs - fromMs), 0);
}
