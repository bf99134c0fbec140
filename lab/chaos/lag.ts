/** How far a consumer group is behind, asked of the brokers by other means than the worker's. */
import type { Admin } from "kafkajs";
import { openAdmin } from "./admin.ts";

export interface LagReader {
  /** Records not settled, over these topics; null: the brokers didn't answer. */
  read(): Promise<number | null>;
  close(): Promise<void>;
}

export interface PartitionOffsets {
  readonly topic: string;
  readonly partition: number;
  readonly low: number;
  readonly high: number;
  /** Of the group; -1: none. */
  readonly committed: number;
}

/** A consumer group, and topics that it reads. */
export interface ConsumerGroup {
  readonly groupId: string;
  readonly topics: readonly string[];
}

export async function openLag(
  brokers: readonly string[],
  group: ConsumerGroup,
  requestTimeoutMs?: number,
): Promise<LagReader> {
  const open = () => openAdmin(brokers, `${group.groupId}-lag`, requestTimeoutMs);
  let admin = await open();
  return {
    async read() {
      try {
        await admin.connect();
        const offsets = await readOffsets(admin, group);
        return offsets.reduce(
          (lag, { low, high, committed }) => lag + Math.abs(high - Math.max(low, committed)),
          0,
        );
      } catch {
        // What it knows of the cluster may be out of date.
        await admin.disconnect().catch(() => {});
        admin = await open();
        return null;
      }
    },
    async close() {
      await admin.disconnect().catch(() => {});
    },
  };
}

export async function readOffsets(
  admin: Admin,
  { groupId, topics }: ConsumerGroup,
): Promise<PartitionOffsets[]> {
  const found: PartitionOffsets[] = [];
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
    const committed = new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
      const own = committed.get(partition) ?? -1;
      found.push({ topic, partition, low: Number(low), high: Number(high), committed: own });
    }
  }
  return found;
}
