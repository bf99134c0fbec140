/**
 * Fetches for an inbox. For each leader there is one long poll over all partitions that want records; a partition that
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
import { type Fetched, fetchRequest } from "./fetch-request.ts";
import { findGap, isRecreated } from "./gaps.ts";
import type { Inbox, Slot } from "./inbox.ts";
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
  readonly slot: Slot;
  readonly offset: number;
}

const partitionName = (slot: Slot) => `${slot.name}/${slot.partition}`;

export interface Fetcher {
  /** Looks for partitions that want records. */
  pump(): void;
  stop(): void;
}

/** @param onFatal called when a partition can't be read on: a retry would not help. */
export function createFetcher(
  inbox: Inbox,
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
    if (stopped || inbox.wanting().length === 0) return;
    let cluster: ClusterConnection;
    try {
      cluster = await connections.long.cluster();
    } catch (error) {
      return holdBack(inbox.wanting(), null, reasonOf(error));
    }
    const byLeader = Map.groupBy(inbox.wanting(), (slot) => cluster.leaderOf(slot.name, slot.partition));
    for (const [leader, slots] of byLeader) {
      if (leader === null) {
        holdBack(slots, cluster, "a partition has no leader");
        continue;
      }
      const out = polls.get(leader) ?? new Set();
      polls.set(leader, out);
      // A short poll brings its partitions back soon: then one long poll takes them all.
      if (!out.has("short")) void poll(out.has("long") ? "short" : "long", leader, slots);
    }
  }

  async function poll(kind: "long" | "short", leader: number, slots: readonly Slot[]): Promise<void> {
    const out = polls.get(leader)!;
    out.add(kind);
    const requests = slots.map((slot) => ({ slot, offset: slot.position! }));
    for (const slot of slots) slot.fetching = true;
    let cluster: ClusterConnection | null = null;
    try {
      cluster = await connections[kind].cluster();
      const broker = await cluster.broker(leader);
      const parts = requests.map(({ slot, offset }) => ({
        topic: slot.name,
        topicId: slot.topicId,
        partition: slot.partition,
        offset,
        leaderEpoch: cluster!.leaderEpochOf(slot.name, slot.partition),
        lastEpoch: slot.lastEpoch,
        maxBytes: maxPartitionFetchBytes,
      }));
      const maxBytes = partitionsPerAnswer * maxPartitionFetchBytes;
      const maxWaitMs = kind === "long" ? longPollMs : shortPollMs;
      const answers = await broker.connectionPool.send(
        fetchRequest(broker.versions, parts, { maxBytes, maxWaitMs }),
      );
      for (const slot of slots) slot.fetching = false;
      take(cluster, requests, answers);
    } catch (error) {
      if (cluster) connections[kind].drop(cluster);
      holdBack(slots, cluster, reasonOf(error));
      if (!stopped && isRefusal(error)) onFatal(reasonOf(error), refused(reasonOf(error)).problem);
    }
    out.delete(kind);
    pump();
  }

  function take(cluster: ClusterConnection, requests: readonly Request[], answers: readonly Fetched[]): void {
    const byPartition = new Map(answers.map((fetched) => [`${fetched.topic}/${fetched.partition}`, fetched]));
    for (const request of requests) {
      const { slot } = request;
      const fetched = byPartition.get(partitionName(slot));
      // Left out while the broker throttles this client.
      if (!fetched || stopped) continue;
      if (fetched.errorCode === errorCodes.none && !fetched.diverges) deliver(cluster, request, fetched);
      else if (fetched.diverges || fetched.errorCode === errorCodes.offsetOutOfRange)
        void lookForGap(cluster, request, fetched.diverges);
      else if (isPassing(fetched.errorCode)) holdBack([slot], cluster, errorName(fetched.errorCode));
      else giveUp(`${partitionName(slot)} can't be read: ${errorName(fetched.errorCode)}`, fetched.errorCode);
    }
  }

  function giveUp(reason: string, errorCode: number): void {
    const isRight = errorCode === errorCodes.topicAuthorizationFailed;
    onFatal(reason, isRight ? refused(reason).problem : undefined);
  }

  function deliver(cluster: ClusterConnection, request: Request, fetched: Fetched): void {
    const { slot, offset } = request;
    let decoded: DecodedRecords;
    try {
      decoded = decodeBatches(fetched.bytes, offset, fetched.aborted);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      // Once more: the bytes may have been damaged on their way.
      slot.unreadable += 1;
      if (slot.unreadable < 2) return holdBack([slot], cluster, error.message);
      const context = { role: slot.topic, topic: slot.name, partition: slot.partition, ...settings };
      const problem = unreadableBatch(error, context);
      return onFatal(`${problem.message} ${problem.fix}`, problem);
    }
    if (decoded.nextOffset === offset && fetched.bytes.length > 0)
      health.failed(partitionName(slot), `the batch at offset ${offset} comes cut short`);
    else health.worked(partitionName(slot));
    const records = logRecords(slot.topic, slot.partition, decoded.records);
    const lastEpoch = decoded.nextOffset > offset ? decoded.lastEpoch : slot.lastEpoch;
    inbox.deliver(slot, offset, records, decoded.nextOffset, lastEpoch);
  }

  async function lookForGap(
    cluster: ClusterConnection,
    { slot, offset }: Request,
    diverges: boolean,
  ): Promise<void> {
    slot.fetching = true;
    try {
      const gap = await findGap(cluster, slot, offset, diverges);
      slot.outOfRange += 1;
      if (gap) {
        slot.fetching = false;
        return inbox.gap(slot, offset, gap.why, gap.bounds);
      }
      holdBack([slot], cluster, `it has no offset ${offset}`);
    } catch (error) {
      connections.long.drop(cluster);
      holdBack([slot], cluster, reasonOf(error));
    }
  }

  /** Leaves these alone for a little, and asks for their leaders again. */
  function holdBack(slots: readonly Slot[], cluster: ClusterConnection | null, reason: string): void {
    if (stopped || slots.length === 0) return;
    for (const slot of slots) {
      slot.fetching = true;
      health.failed(partitionName(slot), reason);
    }
    clock.after(retryDelayMs, async () => {
      if (cluster && !cluster.closed) {
        await cluster.refreshMetadata().catch(() => connections.long.drop(cluster));
        await lookForOthers(cluster, slots).catch(() => connections.long.drop(cluster));
      }
      for (const slot of slots) slot.fetching = false;
      pump();
    });
  }

  /** Topics that were deleted and made again since the session began. */
  async function lookForOthers(cluster: ClusterConnection, slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) {
      if (cluster.closed || slot.position === null || !isRecreated(cluster, slot)) continue;
      const { position } = slot;
      const gap = await findGap(cluster, slot, position, false);
      if (gap) inbox.gap(slot, position, gap.why, gap.bounds);
    }
  }

  return {
    pump,
    stop: () => {
      stopped = true;
    },
  };
}
