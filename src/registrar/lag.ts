/** How far the worker is behind the log, looked up now and then. */
import { type Clock, inputTopics, type Session } from "../ports.ts";
import { type OwnedPartition, settledThroughOf, trackOf } from "./partition.ts";

export interface LagMeter {
  /** Unsettled records of all owned partitions, as of the last look. */
  records(): number;
  stop(): void;
}

const intervalMs = 10_000;

export function createLagMeter(
  { clock }: { clock: Clock },
  owned: ReadonlyMap<number, OwnedPartition>,
  currentSession: () => Session | null,
): LagMeter {
  const logEnds = new Map<string, number>();
  let stopped = false;
  let cancel = clock.after(intervalMs, look);

  return {
    records() {
      let sum = 0;
      for (const partition of owned.values()) {
        for (const topic of inputTopics) {
          const logEnd = logEnds.get(`${topic}/${partition.number}`) ?? 0;
          const end = Math.max(logEnd, trackOf(partition, topic).nextOffset);
          sum += end - settledThroughOf(partition, topic);
        }
      }
      return sum;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };

  async function look(): Promise<void> {
    const session = currentSession();
    const result = session === null ? null : await session.positions(session.partitions);
    if (result?.ok) {
      for (const { topic, partition, logEnd } of result.positions)
        logEnds.set(`${topic}/${partition}`, logEnd);
    }
    if (!stopped) cancel = clock.after(intervalMs, look);
  }
}
