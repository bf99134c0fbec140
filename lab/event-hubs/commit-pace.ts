/** How long commits wait where they come too often. Pure: the caller has the clock. */

export interface CommitPace {
  /** Of one request, for its partitions: how long it waits. It counts as let through then. */
  waitMs(partitions: readonly string[], nowMs: number): number;
}

const secondMs = 1_000;

export function createCommitPace(perSecond: number): CommitPace {
  /** When the last ones of each partition were let through. */
  const passed = new Map<string, number[]>();
  return {
    waitMs(partitions, nowMs) {
      const atMs = Math.max(
        nowMs,
        ...partitions.map((partition) => {
          const last = passed.get(partition) ?? [];
          return last.length < perSecond ? nowMs : last[0]! + secondMs;
        }),
      );
      for (const partition of partitions) {
        const last = passed.get(partition) ?? [];
        passed.set(partition, [...last, atMs].slice(-perSecond));
      }
      return atMs - nowMs;
    },
  };
}
