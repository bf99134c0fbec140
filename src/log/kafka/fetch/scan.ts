/**
 * `scan`: one partition from an offset to its end, without membership, by fetching from the leader directly. No consumer
 * group is joined, so it costs two round trips more than its data.
 */
import type { Clock, EventLog, ScanResult } from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { errorCodes, isRefusal, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { type Fetched, type FetchPart, fetchRequest } from "./fetch-request.ts";
import { isRecreated } from "./gaps.ts";
import { leaderOf, listBounds, type TopicPartition } from "./offsets.ts";
import {
  checkFetched,
  createDecoder,
  createStallLimit,
  logRecords,
  PassingError,
  type ReaderSettings,
  Unreadable,
} from "./reader.ts";

const scanLimits = { maxWaitMs: 100, maxBytes: 512 * 1024 };

export function createScan(
  connection: ReconnectingConnection,
  settings: ReaderSettings,
  clock: Clock,
): EventLog["scan"] {
  return async (topic, partition, fromOffset, onRecords, signal): Promise<ScanResult> => {
    const topicPartition = { topic: settings.nameOf(topic), partition };
    const stall = createStallLimit(clock, settings.stallMs);
    let topicId: string | null = null;
    let position = fromOffset;
    let lastEpoch = -1;
    let end: number | null = null;
    let emptyAnswers = 0;
    let beyondEnd = 0;
    const decode = createDecoder();
    for (;;) {
      if (signal.aborted) return { ok: false, reason: "the scan was aborted" };
      let cluster: ClusterConnection | null = null;
      try {
        cluster = await connection.cluster();
        topicId ??= cluster.topicId(topicPartition.topic);
        if (isRecreated(cluster, { name: topicPartition.topic, topicId })) return recreated(topicPartition);
        if (end === null) {
          const [bounds] = await listBounds(cluster, [topicPartition], true);
          position = Math.max(position, bounds!.start);
          end = bounds!.end;
        }
        if (position === end) return { ok: true, nextOffset: position };
        const fetched = await fetchOne(cluster, { ...topicPartition, topicId, offset: position, lastEpoch });
        if (signal.aborted) return { ok: false, reason: "the scan was aborted" };
        if (fetched.diverges) return diverged(topicPartition, position);
        if (fetched.errorCode === errorCodes.offsetOutOfRange) {
          const [bounds] = await listBounds(cluster, [topicPartition], true);
          if (position > bounds!.end) {
            // Twice, by the newest metadata: the first answer may be one of a leader of the past.
            beyondEnd += 1;
            if (beyondEnd >= 2) return logTooShort(topicPartition, position, bounds!.end);
            throw new PassingError(`no offset ${position}`);
          }
          // Retention moved the start meanwhile: from there, then.
          position = Math.max(position, bounds!.start);
          end = Math.min(end, bounds!.end);
          continue;
        }
        const decoded = decode(fetched, position, { role: topic, ...topicPartition, ...settings });
        if (decoded.nextOffset === position) {
          if (position > end) {
            // The leader has the offset, but does not know yet how far its records are replicated.
            end = null;
            throw new PassingError(`the end is not known yet, it is at least ${position}`);
          }
          // Compaction may have removed the last records before the end: twice nothing where the leader says that it
          // has more means that nothing is left.
          emptyAnswers += 1;
          if (emptyAnswers >= 2 && fetched.stableEnd >= end) return { ok: true, nextOffset: end };
          if (await stall.retryAfterDelay()) continue;
          return {
            ok: false,
            reason: `no records come from ${topicPartition.topic}/${partition} at ${position}`,
          };
        }
        emptyAnswers = 0;
        stall.progress();
        position = decoded.nextOffset;
        lastEpoch = decoded.lastEpoch;
        if (decoded.records.length > 0) onRecords(logRecords(topic, partition, decoded.records));
        if (position >= end) return { ok: true, nextOffset: position };
      } catch (error) {
        if (error instanceof Unreadable) return { ok: false, reason: error.message, problem: error.problem };
        const reason = `${topicPartition.topic}/${partition}: ${reasonOf(error)}`;
        if (cluster && !(error instanceof PassingError)) connection.drop(cluster);
        if (isRefusal(error) || !(await stall.retryAfterDelay())) return { ok: false, reason };
        if (cluster && !cluster.closed)
          await cluster.refreshMetadata().catch(() => connection.drop(cluster!));
      }
    }
  };
}

function logTooShort(topicPartition: TopicPartition, position: number, logEnd: number): ScanResult {
  const reason = `${topicPartition.topic}/${topicPartition.partition} ends at ${logEnd}, before ${position}`;
  return { ok: false, reason, logEnd };
}

function recreated({ topic }: TopicPartition): ScanResult {
  return { ok: false, reason: `${topic} was deleted and made again while it was read` };
}

function diverged({ topic, partition }: TopicPartition, position: number): ScanResult {
  const reason = `${topic}/${partition} holds other records before ${position} than were read: a replica without them became its leader`;
  return { ok: false, reason };
}

async function fetchOne(
  cluster: ClusterConnection,
  part: Omit<FetchPart, "leaderEpoch" | "maxBytes">,
): Promise<Fetched> {
  const broker = await cluster.broker(leaderOf(cluster, part));
  const leaderEpoch = cluster.leaderEpochOf(part.topic, part.partition);
  const [fetched] = await broker.send(
    fetchRequest(broker.versions, [{ ...part, leaderEpoch, maxBytes: scanLimits.maxBytes }], scanLimits),
  );
  if (!fetched) throw new PassingError("the broker throttles this client");
  checkFetched(fetched);
  return fetched;
}
