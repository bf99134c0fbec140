/** `tail`: a topic as it grows, all partitions, without membership. */
import type { Clock, LogTail } from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { errorCodes, isRefusal, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { type Fetched, fetchRequest } from "./fetch-request.ts";
import { leaderOf, listBounds } from "./offsets.ts";
import {
  checkFetched,
  createDecoder,
  createStallLimit,
  logRecords,
  PassingError,
  type ReaderSettings,
  Unreadable,
} from "./reader.ts";

const tailLimits = { maxWaitMs: 500, maxBytes: 8 * 1024 * 1024 };
const tailPartitionBytes = 1024 * 1024;

export function createTail(
  openConnection: () => ReconnectingConnection,
  settings: ReaderSettings,
  clock: Clock,
): LogTail["tail"] {
  // biome-ignore lint/complexity/useMaxParams: LogTail.tail of ports.ts
  return async (topic, from, onRecords, signal) => {
    if (signal.aborted) return { ok: true };
    // A connection of its own: its long polls must not delay scans, and an abort closes it to take effect immediately.
    const connection = openConnection();
    signal.addEventListener("abort", connection.close, { once: true });
    const name = settings.nameOf(topic);
    const stall = createStallLimit(clock, settings.stallMs);
    const positions = new Map<number, number>();
    let begun = false;
    const decode = createDecoder();
    try {
      while (!signal.aborted) {
        let cluster: ClusterConnection | null = null;
        try {
          cluster = await connection.cluster();
          await findPositions(cluster, { topic: name, positions }, begun ? "start" : from);
          begun = true;
          await pollLeaders(cluster, { topic: name, positions }, (partition, fetched) => {
            const context = { role: topic, topic: name, partition, ...settings };
            const { records, nextOffset } = decode(fetched, positions.get(partition)!, context);
            stall.progress();
            positions.set(partition, nextOffset);
            if (records.length > 0 && !signal.aborted) onRecords(logRecords(topic, partition, records));
          });
        } catch (error) {
          if (signal.aborted) break;
          if (error instanceof Unreadable) return { ok: false, reason: error.message };
          const reason = `${name}: ${reasonOf(error)}`;
          if (cluster && !(error instanceof PassingError)) connection.drop(cluster);
          if (isRefusal(error) || !(await stall.retryAfterDelay())) return { ok: false, reason };
          if (cluster && !cluster.closed)
            await cluster.refreshMetadata().catch(() => connection.drop(cluster!));
        }
      }
      return { ok: true };
    } finally {
      signal.removeEventListener("abort", connection.close);
      connection.close();
    }
  };
}

interface TailedTopic {
  readonly topic: string;
  /** Where the next fetch starts, by partition. */
  readonly positions: Map<number, number>;
}

/** First positions, and those of partitions that came later or whose records were removed under us. */
async function findPositions(
  cluster: ClusterConnection,
  { topic, positions }: TailedTopic,
  from: "start" | "end",
): Promise<void> {
  const unknown = [];
  for (let partition = 0; partition < cluster.partitionCount(topic); partition += 1) {
    if (!positions.has(partition)) unknown.push({ topic, partition });
  }
  if (unknown.length === 0) return;
  for (const { partition, start, end } of await listBounds(cluster, unknown, true)) {
    positions.set(partition, from === "end" ? end : start);
  }
}

async function pollLeaders(
  cluster: ClusterConnection,
  { topic, positions }: TailedTopic,
  onFetched: (partition: number, fetched: Fetched) => void,
): Promise<void> {
  const parts = [...positions].map(([partition, offset]) => ({
    topic,
    topicId: cluster.topicId(topic),
    partition,
    offset,
    leaderEpoch: cluster.leaderEpochOf(topic, partition),
    lastEpoch: -1,
    maxBytes: tailPartitionBytes,
  }));
  const byLeader = Map.groupBy(parts, (part) => leaderOf(cluster, part));
  await Promise.all(
    [...byLeader].map(async ([leader, led]) => {
      const broker = await cluster.broker(leader);
      const answers = await broker.send(fetchRequest(broker.versions, led, tailLimits));
      for (const fetched of answers) {
        checkFetched(fetched);
        if (fetched.errorCode === errorCodes.offsetOutOfRange) positions.delete(fetched.partition);
        else onFetched(fetched.partition, fetched);
      }
    }),
  );
}
