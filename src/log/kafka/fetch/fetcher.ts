/**
 * Fetches what a buffer wants. For each leader there is one long poll over all partitions that want records; a partition that
 * begins to want records while it is out is asked for by a short one, on a connection of its own. So a record that
 * arrives at an idle partition is handed over at once, and one that has a backlog never waits for the idle ones.
 */
import type { Clock } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { errorCodes, errorName, isPassing, isRefusal, reasonOf } from "../cluster/errors.ts";
import type { Health } from "../cluster/health.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { refused } from "../group/join-group.ts";
import type { FetchBuffer, InputPartition } from "./fetch-buffer.ts";
import { type Fetched, fetchRequest } from "./fetch-request.ts";
import { findGap, isRecreated } from "./gaps.ts";
import { logRecords } from "./reader.ts";
import { BatchError, type DecodedRecords, decodeBatches } from "./record-batch.ts";
import { type ReadContext, unreadableBatch } from "./unreadable.ts";

/** An answer, all partitions together, is at most so many times what one partition may bring. */
const partitionsPerAnswer = 8;
const longPollMs = 250;
const shortPollMs = 10;
const retryDelayMs = 200;

export interface FetcherConnections {
  readonly long: ReconnectingConnection;
  readonly short: ReconnectingConnection;
}

export interface FetcherSettings extends Pick<ReadContext, "bootstrap" | "groupId"> {
  readonly maxPartitionFetchBytes: number;
  readonly health: Health;
}

interface Request {
  readonly input: InputPartition;
  readonly offset: number;
}

const partitionName = (input: InputPartition) => `${input.name}/${input.partition}`;

export interface Fetcher {
  /** Looks for partitions that want records. */
  pump(): void;
  stop(): void;
}

/** @param onFatal called when a partition can't be read on: a retry would not help. */
export function createFetcher(
  buffer: FetchBuffer,
  connections: FetcherConnections,
  settings: FetcherSettings,
  clock: Clock,
  onFatal: (reason: string, problem?: Problem) => void,
): Fetcher {
  const { maxPartitionFetchBytes, health } = settings;
  const polls = new Map<number, Set<"long" | "short">>();
  let stopped = false;
  let scheduled = false;

  function pump(): void {
    if (scheduled || stopped) return;
    scheduled = true;
    // After the current jobs: partitions that want records together are asked for together.
    setImmediate(() => {
      scheduled = false;
      void start();
    });
  }

  async function start(): Promise<void> {
    if (stopped || buffer.wanting().length === 0) return;
    let cluster: ClusterConnection;
    try {
      cluster = await connections.long.cluster();
    } catch (error) {
      return backOff(buffer.wanting(), null, reasonOf(error));
    }
    const byLeader = Map.groupBy(buffer.wanting(), (input) => cluster.leaderOf(input.name, input.partition));
    for (const [leader, inputs] of byLeader) {
      if (leader === null) {
        backOff(inputs, cluster, "a partition has no leader");
        continue;
      }
      const out = polls.get(leader) ?? new Set();
      polls.set(leader, out);
      // A short poll brings its partitions back soon: then one long poll takes them all.
      if (!out.has("short")) void poll(out.has("long") ? "short" : "long", leader, inputs);
    }
  }

  async function poll(
    kind: "long" | "short",
    leader: number,
    inputs: readonly InputPartition[],
  ): Promise<void> {
    const out = polls.get(leader)!;
    out.add(kind);
    const requests = inputs.map((input) => ({ input, offset: input.position! }));
    for (const input of inputs) input.fetching = true;
    let cluster: ClusterConnection | null = null;
    try {
      cluster = await connections[kind].cluster();
      const broker = await cluster.broker(leader);
      const parts = requests.map(({ input, offset }) => ({
        topic: input.name,
        topicId: input.topicId,
        partition: input.partition,
        offset,
        leaderEpoch: cluster!.leaderEpochOf(input.name, input.partition),
        lastEpoch: input.lastEpoch,
        maxBytes: maxPartitionFetchBytes,
      }));
      const maxBytes = partitionsPerAnswer * maxPartitionFetchBytes;
      const maxWaitMs = kind === "long" ? longPollMs : shortPollMs;
      const answers = await broker.send(fetchRequest(broker.versions, parts, { maxBytes, maxWaitMs }));
      for (const input of inputs) input.fetching = false;
      take(cluster, requests, answers);
    } catch (error) {
      if (cluster) connections[kind].drop(cluster);
      backOff(inputs, cluster, reasonOf(error));
      if (!stopped && isRefusal(error)) onFatal(reasonOf(error), refused(reasonOf(error)).problem);
    }
    out.delete(kind);
    pump();
  }

  function take(cluster: ClusterConnection, requests: readonly Request[], answers: readonly Fetched[]): void {
    const byPartition = new Map(answers.map((fetched) => [`${fetched.topic}/${fetched.partition}`, fetched]));
    for (const request of requests) {
      const { input } = request;
      const fetched = byPartition.get(partitionName(input));
      // Left out while the broker throttles this client.
      if (!fetched || stopped) continue;
      if (fetched.errorCode === errorCodes.none && !fetched.diverges) deliver(cluster, request, fetched);
      else if (fetched.diverges || fetched.errorCode === errorCodes.offsetOutOfRange)
        void reportGap(cluster, request, fetched.diverges);
      else if (isPassing(fetched.errorCode)) backOff([input], cluster, errorName(fetched.errorCode));
      else
        giveUp(`${partitionName(input)} can't be read: ${errorName(fetched.errorCode)}`, fetched.errorCode);
    }
  }

  function giveUp(reason: string, errorCode: number): void {
    const isRight = errorCode === errorCodes.topicAuthorizationFailed;
    onFatal(reason, isRight ? refused(reason).problem : undefined);
  }

  function deliver(cluster: ClusterConnection, request: Request, fetched: Fetched): void {
    const { input, offset } = request;
    let decoded: DecodedRecords;
    try {
      decoded = decodeBatches(fetched.bytes, offset, fetched.aborted);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      // Once more: the bytes may have been damaged on their way.
      input.unreadable += 1;
      if (input.unreadable < 2) return backOff([input], cluster, error.message);
      const context = { role: input.topic, topic: input.name, partition: input.partition, ...settings };
      const problem = unreadableBatch(error, context);
      return onFatal(`${problem.message} ${problem.fix}`, problem);
    }
    if (decoded.nextOffset === offset && fetched.bytes.length > 0)
      health.failed(partitionName(input), `the batch at offset ${offset} comes cut short`);
    else health.worked(partitionName(input));
    const records = logRecords(input.topic, input.partition, decoded.records);
    const lastEpoch = decoded.nextOffset > offset ? decoded.lastEpoch : input.lastEpoch;
    buffer.deliver(input, offset, records, decoded.nextOffset, lastEpoch);
  }

  async function reportGap(
    cluster: ClusterConnection,
    { input, offset }: Request,
    diverges: boolean,
  ): Promise<void> {
    input.fetching = true;
    try {
      const gap = await findGap(cluster, input, offset, diverges);
      input.outOfRange += 1;
      if (gap) {
        input.fetching = false;
        return buffer.gap(input, offset, gap.why, gap.bounds);
      }
      backOff([input], cluster, `it has no offset ${offset}`);
    } catch (error) {
      connections.long.drop(cluster);
      backOff([input], cluster, reasonOf(error));
    }
  }

  /** Leaves these alone for a little, and asks for their leaders again. */
  function backOff(
    inputs: readonly InputPartition[],
    cluster: ClusterConnection | null,
    reason: string,
  ): void {
    if (stopped || inputs.length === 0) return;
    for (const input of inputs) {
      input.fetching = true;
      health.failed(partitionName(input), reason);
    }
    clock.after(retryDelayMs, async () => {
      if (cluster && !cluster.closed) {
        await cluster.refreshMetadata().catch(() => connections.long.drop(cluster));
        await reportRecreated(cluster, inputs).catch(() => connections.long.drop(cluster));
      }
      for (const input of inputs) input.fetching = false;
      pump();
    });
  }

  /** Topics that were deleted and made again since the session began. */
  async function reportRecreated(
    cluster: ClusterConnection,
    inputs: readonly InputPartition[],
  ): Promise<void> {
    for (const input of inputs) {
      if (cluster.closed || input.position === null || !isRecreated(cluster, input)) continue;
      const { position } = input;
      const gap = await findGap(cluster, input, position, false);
      if (gap) buffer.gap(input, position, gap.why, gap.bounds);
    }
  }

  return {
    pump,
    stop: () => {
      stopped = true;
    },
  };
}
