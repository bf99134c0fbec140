/**
 * `scan`: one partition from an offset to its end, without membership, by fetching from the leader directly. No consumer
 * group is joined, so it costs two round trips more than its data.
 *
 * 1. INV-LEDGER-READ: of an outcome topic nothing is left out. Records behind another program's open transaction can't be read until
 *    that ends. A scan of the ledger or of the dead letters waits for it, and fails in the end, with what to type. A scan of an input
 *    topic ends before it: its producers may use transactions, and no worker has read further either.
 * 2. INV-LEDGER-READ: an empty answer before the end is believed, the second time, only of the one topic that is compacted. A broker
 *    that waits for a slow disk or for tiered storage gives one too.
 */
import {
  type Bounds,
  type Clock,
  type EventLog,
  inputTopics,
  type LogRecord,
  type ScanResult,
  type Topic,
} from "../../../ports.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { errorCodes, isRefusal, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { type Fetched, type FetchPart, fetchRequest } from "./fetch-request.ts";
import { isRecreated } from "./gaps.ts";
import { leaderOf, listBounds, type PartitionBounds, type TopicPartition } from "./offsets.ts";
import {
  checkFetched,
  createDecoder,
  createStallLimit,
  logRecords,
  PassingError,
  type ReaderSettings,
  type StallLimit,
  Unreadable,
} from "./reader.ts";

const scanLimits = { maxWaitMs: 100, maxBytes: 512 * 1024 };

interface ScanRequest {
  readonly topic: Topic;
  readonly partition: number;
  readonly fromOffset: number;
  readonly onRecords: (records: readonly LogRecord[]) => void;
  readonly signal: AbortSignal;
}

export function createScan(
  connection: ReconnectingConnection,
  settings: ReaderSettings,
  clock: Clock,
): EventLog["scan"] {
  // biome-ignore lint/complexity/useMaxParams: EventLog.scan of ports.ts
  return async (topic, partition, fromOffset, onRecords, signal): Promise<ScanResult> => {
    const name = `${settings.nameOf(topic)}/${partition}`;
    const stall = createStallLimit(clock, settings.stallMs);
    const scan = new PartitionScan({ topic, partition, fromOffset, onRecords, signal }, settings, stall);
    for (;;) {
      if (signal.aborted) return aborted;
      let cluster: ClusterConnection | null = null;
      try {
        cluster = await connection.cluster();
        const result = await scan.step(cluster);
        if (result !== null) return result;
      } catch (error) {
        if (error instanceof Unreadable) return { ok: false, reason: error.message, problem: error.problem };
        const reason = `${name}: ${reasonOf(error)}`;
        if (cluster && !(error instanceof PassingError)) connection.drop(cluster);
        if (isRefusal(error) || !(await stall.retryAfterDelay())) return { ok: false, reason };
        if (cluster && !cluster.closed)
          await cluster.refreshMetadata().catch(() => connection.drop(cluster!));
      }
    }
  };
}

/** How far a scan has come. */
class PartitionScan {
  readonly #request: ScanRequest;
  readonly #settings: ReaderSettings;
  readonly #stall: StallLimit;
  readonly #topicPartition: TopicPartition;
  readonly #decode = createDecoder();
  #topicId: string | null = null;
  #position: number;
  #lastEpoch = -1;
  /** Null: to be asked for. */
  #end: number | null = null;
  #emptyAnswers = 0;
  #timesBeyondEnd = 0;

  constructor(request: ScanRequest, settings: ReaderSettings, stall: StallLimit) {
    this.#request = request;
    this.#settings = settings;
    this.#stall = stall;
    this.#topicPartition = { topic: settings.nameOf(request.topic), partition: request.partition };
    this.#position = request.fromOffset;
  }

  /** One fetch. Null: the scan continues. Throws failures that pass, and Unreadable. */
  async step(cluster: ClusterConnection): Promise<ScanResult | null> {
    const { topic } = this.#topicPartition;
    this.#topicId ??= cluster.topicId(topic);
    if (isRecreated(cluster, { name: topic, topicId: this.#topicId })) return recreated(this.#topicPartition);
    if (this.#end === null) {
      const { start, end } = await this.#bounds(cluster);
      this.#position = Math.max(this.#position, start);
      this.#end = end;
    }
    if (this.#position === this.#end) return { ok: true, nextOffset: this.#position };
    const fetched = await fetchOne(cluster, {
      ...this.#topicPartition,
      topicId: this.#topicId,
      offset: this.#position,
      lastEpoch: this.#lastEpoch,
    });
    if (this.#request.signal.aborted) return aborted;
    if (fetched.diverges) return diverged(this.#topicPartition, this.#position);
    return fetched.errorCode === errorCodes.offsetOutOfRange
      ? this.#outOfRange(await this.#bounds(cluster), this.#end)
      : this.#take(fetched, this.#end);
  }

  async #bounds(cluster: ClusterConnection): Promise<PartitionBounds> {
    const endsAtTransaction = (inputTopics as readonly Topic[]).includes(this.#request.topic); // 1
    const [bounds] = await listBounds(cluster, [this.#topicPartition], endsAtTransaction);
    return bounds!;
  }

  #outOfRange(bounds: Bounds, end: number): ScanResult | null {
    if (this.#position > bounds.end) {
      // Twice, by the newest metadata: the first answer may be one of a leader of the past.
      this.#timesBeyondEnd += 1;
      if (this.#timesBeyondEnd >= 2) return logTooShort(this.#topicPartition, this.#position, bounds.end);
      throw new PassingError(`no offset ${this.#position}`);
    }
    // Retention moved the start meanwhile: from there, then.
    this.#position = Math.max(this.#position, bounds.start);
    this.#end = Math.min(end, bounds.end);
    return null;
  }

  #take(fetched: Fetched, end: number): ScanResult | null | Promise<ScanResult | null> {
    const { topic, partition, onRecords } = this.#request;
    const context = { role: topic, ...this.#topicPartition, ...this.#settings };
    const decoded = this.#decode(fetched, this.#position, context);
    if (decoded.nextOffset === this.#position) return this.#nothing(fetched, end);
    this.#emptyAnswers = 0;
    this.#stall.progress();
    this.#position = decoded.nextOffset;
    this.#lastEpoch = decoded.lastEpoch;
    if (decoded.records.length > 0) onRecords(logRecords(topic, partition, decoded.records));
    return this.#position >= end ? { ok: true, nextOffset: this.#position } : null;
  }

  async #nothing({ stableEnd }: Fetched, end: number): Promise<ScanResult | null> {
    if (this.#position > end) {
      // The leader has the offset, but does not know yet how far its records are replicated.
      this.#end = null;
      throw new PassingError(`the end is not known yet, it is at least ${this.#position}`);
    }
    // Compaction may have removed the last records before the end.
    this.#emptyAnswers += 1;
    const isCompacted = this.#request.topic === "registered";
    if (isCompacted && this.#emptyAnswers >= 2 && stableEnd >= end) return { ok: true, nextOffset: end }; // 2
    if (await this.#stall.retryAfterDelay()) return null;
    const { topic, partition } = this.#topicPartition;
    if (stableEnd >= end)
      return { ok: false, reason: `no records come from ${topic}/${partition} at ${this.#position}` };
    return {
      ok: false,
      reason: heldBack(this.#topicPartition, { end, stableEnd }, this.#settings.bootstrap),
    };
  }
}

const aborted: ScanResult = { ok: false, reason: "the scan was aborted" };

function logTooShort(topicPartition: TopicPartition, position: number, logEnd: number): ScanResult {
  const reason = `${topicPartition.topic}/${topicPartition.partition} ends at ${logEnd}, before ${position}`;
  return { ok: false, reason, logEnd };
}

function heldBack(
  { topic, partition }: TopicPartition,
  { end, stableEnd }: { readonly end: number; readonly stableEnd: number },
  bootstrap: string,
): string {
  const tool = `kafka-transactions.sh --bootstrap-server ${bootstrap}`;
  return (
    `${topic}/${partition} ends at ${end}, and only what stands before ${stableEnd} can be read: a transaction of another ` +
    `program is open there, or a replica is behind. It goes on by itself once that is over. To see whose it is, type: ${tool} ` +
    `describe-producers --topic ${topic} --partition ${partition}; one that hangs ends with: ${tool} ` +
    `abort --topic ${topic} --partition ${partition} --start-offset ${stableEnd}`
  );
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
