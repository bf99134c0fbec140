/** For how long a process stood still between two moments, and within which time what it began must have ended. */
import type { Entry } from "./history.ts";

export interface Pauses {
  /** Did standing still make this create outlive the settle time of its process? */
  outlives(by: string, calledAtMs: number, effectAtMs: number): boolean;
  /**
   * May this effect be of what the process decided before it stood still for its settle time? Or, where it sends ids, of what it had on
   * its way when it was killed so long ago? Where ids are not honoured its successors wait for that.
   */
  isHeldBack(by: string, effectAtMs: number): boolean;
}

/** The longest time for which a request is still on its way after a caller that was frozen gave it up. */
const onTheWayMaxMs = 2_500;

export function readPauses(entries: readonly Entry[]): Pauses {
  const pauses = new Map<string, { fromMs: number; untilMs: number }[]>();
  const settleMs = new Map<string, number>();
  const sendsIds = new Set<string>();
  const killedAtMs = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === "start") settleMs.set(entry.by, entry.settings.settleMs);
    if (entry.kind === "start" && entry.settings.sendId) sendsIds.add(entry.by);
    if (entry.kind === "exit" && entry.how === "crashed") killedAtMs.set(entry.by, entry.tMs);
    if (entry.kind === "paused") {
      const own = pauses.get(entry.by) ?? [];
      pauses.set(entry.by, own);
      own.push({ fromMs: entry.tMs, untilMs: Number.POSITIVE_INFINITY });
    }
    if (entry.kind === "resumed") pauses.get(entry.by)!.at(-1)!.untilMs = entry.tMs;
  }
  return {
    outlives(by, calledAtMs, effectAtMs) {
      const boundMs = settleMs.get(by)!;
      if (effectAtMs - calledAtMs <= boundMs) return false;
      let pausedMs = 0;
      for (const { fromMs, untilMs } of pauses.get(by) ?? [])
        pausedMs += Math.max(0, Math.min(untilMs, effectAtMs) - Math.max(fromMs, calledAtMs));
      return pausedMs + onTheWayMaxMs >= boundMs;
    },
    isHeldBack(by, effectAtMs) {
      const boundMs = settleMs.get(by)!;
      const killedMs = killedAtMs.get(by) ?? Number.POSITIVE_INFINITY;
      if (sendsIds.has(by) && effectAtMs - killedMs >= boundMs) return true;
      return (pauses.get(by) ?? []).some(
        ({ fromMs, untilMs }) =>
          untilMs <= effectAtMs &&
          effectAtMs - untilMs <= onTheWayMaxMs &&
          untilMs - fromMs + onTheWayMaxMs >= boundMs,
      );
    },
  };
}
