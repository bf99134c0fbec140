/** How far a consumer group is behind, asked of the broker by other means than the worker's. */
import type { Kafka } from "kafkajs";

export interface LagReader {
  /** Records not settled, over these topics; null: the broker didn't answer. */
  read(): Promise<number | null>;
  close(): Promise<void>;
}

export async function openLag(
  brokers: readonly string[],
  groupId: string,
  topics: readonly string[],
): Promise<LagReader> {
  const { default: kafkajs } = await import("kafkajs");
  const kafka: Kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: `${groupId}-lag`,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
  });
  const admin = kafka.admin();
  const restoreWarnings = muteNegativeTimeouts();
  return {
    async read() {
      try {
        await admin.connect();
        let lag = 0;
        const groups = await admin.fetchOffsets({ groupId, topics: [...topics] });
        for (const { topic, partitions } of groups) {
          const committed = new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
          for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
            lag += Number(high) - Math.max(Number(low), committed.get(partition) ?? -1);
          }
        }
        return lag;
      } catch {
        return null;
      }
    },
    async close() {
      await admin.disconnect().catch(() => {});
      restoreWarnings();
    },
  };
}

/** kafkajs arms timers with negative delays, of which Node would warn people who can't help it. */
function muteNegativeTimeouts(): () => void {
  const { emitWarning } = process;
  const muted = (...args: Parameters<typeof emitWarning>) => {
    if ((args as unknown[])[1] !== "TimeoutNegativeWarning") emitWarning.apply(process, args);
  };
  process.emitWarning = muted as typeof emitWarning;
  return () => {
    process.emitWarning = emitWarning;
  };
}
