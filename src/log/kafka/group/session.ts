/**
 * One generation of the membership, as the worker sees it.
 *
 * Invariants
 * 1. Every request carries this session's own member id and generation, so the broker refuses it once they are over;
 *    no later generation can be mistaken for this one.
 * 2. `end` takes effect synchronously: after it nothing is delivered, committed or held.
 * 3. Commits are sent one after another, in the order of calls.
 */

import { elapsedMs, type Moment, momentOf } from "../../../moment.ts";
import type { Clock, Commit, CommitResult, InputPosition, PositionsResult, Session } from "../../../ports.ts";
import { inputTopics } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import { sleep } from "../../../sleep.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { protocolError, reasonOf } from "../cluster/errors.ts";
import type { Health } from "../cluster/health.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import { createFetchBuffer } from "../fetch/fetch-buffer.ts";
import { createFetcher, type FetcherConnections } from "../fetch/fetcher.ts";
import { listBounds } from "../fetch/offsets.ts";
import type { Heartbeat } from "./heartbeat.ts";

export interface SessionSettings {
  readonly groupId: string;
  /** As tools are told which cluster to use. */
  readonly bootstrap: string;
  readonly sessionTimeoutMs: number;
  readonly maxPartitionFetchBytes: number;
  /** Of `positions` and of a commit that finds no coordinator, all attempts together. */
  readonly requestTimeoutMs: number;
  readonly nameOf: (topic: InputPosition["topic"]) => string;
  readonly health: Health;
}

export interface Generation {
  readonly memberId: string;
  readonly generationId: number;
  readonly partitions: readonly number[];
  /** Of the inputs, by name, as they were when this member joined. */
  readonly topicIds: ReadonlyMap<string, string | null>;
}

export interface OwnSession {
  readonly session: Session;
  /** Still a member of this generation, and no rebalance has begun. */
  recordHeartbeat(heartbeat: Heartbeat): void;
  end(): void;
}

export interface SessionPorts {
  readonly connections: FetcherConnections;
  coordinator(cluster: ClusterConnection): Promise<Broker>;
  forgetCoordinator(): void;
  /** The broker says that this generation is over, or that it does not know this member any more. */
  onGenerationOver(memberIsUnknown: boolean): void;
  onFatal(reason: string, problem?: Problem): void;
}

const generationOverErrors = new Set([
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
  "REBALANCE_IN_PROGRESS",
  "FENCED_INSTANCE_ID",
]);
/** The coordinator is elsewhere or still loading: certainly nothing was stored. */
const coordinatorMovedErrors = new Set(["GROUP_LOAD_IN_PROGRESS", "NOT_COORDINATOR_FOR_GROUP"]);
const retryDelayMs = 100;

/** Of the session time-out: room for clocks that run differently here and there. */
const marginShare = 1 / 5;

export function createSession(
  generation: Generation,
  joined: Heartbeat,
  settings: SessionSettings,
  ports: SessionPorts,
  clock: Clock,
): OwnSession {
  const { memberId, generationId, partitions } = generation;
  const ended = new AbortController();
  const leaseMs = settings.sessionTimeoutMs * (1 - marginShare);
  const lastHeartbeats = createLastHeartbeats(joined);
  let lastCommit: Promise<unknown> = Promise.resolve();
  const topicPartitions = inputTopics.flatMap((topic) =>
    partitions.map((partition) => {
      const name = settings.nameOf(topic);
      return { topic, name, topicId: generation.topicIds.get(name) ?? null, partition };
    }),
  );
  const buffer = createFetchBuffer(topicPartitions, () => fetcher.pump());
  const fetcher = createFetcher(buffer, ports.connections, settings, clock, ports.onFatal);
  const connection: ReconnectingConnection = ports.connections.long;

  function end(): void {
    if (ended.signal.aborted) return;
    fetcher.stop();
    ended.abort();
    buffer.end();
  }

  async function commit(commits: readonly Commit[]): Promise<CommitResult> {
    const topics = topicsOf(commits);
    const giveUpAtMs = clock.nowMs() + settings.requestTimeoutMs;
    for (;;) {
      if (ended.signal.aborted) return "superseded";
      let cluster: ClusterConnection | null = null;
      try {
        cluster = await connection.cluster();
        const broker = await ports.coordinator(cluster);
        if (ended.signal.aborted) return "superseded";
        await sendCommit(broker, topics);
        lastHeartbeats.commitStoredBy(broker.nodeId);
        return "committed";
      } catch (error) {
        const type = protocolError(error);
        const sent = error instanceof CommitError;
        if (type && generationOverErrors.has(type)) {
          ports.onGenerationOver(type === "UNKNOWN_MEMBER_ID");
          return "superseded";
        }
        ports.forgetCoordinator();
        if (!type && cluster) connection.drop(cluster);
        if (sent && !(type && coordinatorMovedErrors.has(type))) {
          return "unknown";
        }
        if (clock.nowMs() > giveUpAtMs) return "unknown";
        await sleep(clock, retryDelayMs);
      }
    }
  }

  /** Only what goes wrong in here leaves it open whether something was stored. */
  async function sendCommit(broker: Broker, topics: ReturnType<typeof topicsOf>): Promise<void> {
    try {
      await broker.offsetCommit({
        groupId: settings.groupId,
        memberId,
        groupGenerationId: generationId,
        topics,
      });
    } catch (error) {
      throw new CommitError(reasonOf(error), { cause: error });
    }
  }

  function topicsOf(commits: readonly Commit[]) {
    return [...Map.groupBy(commits, (one) => one.topic)].map(([topic, ofTopic]) => ({
      topic: settings.nameOf(topic),
      partitions: ofTopic.map(({ partition, offset, metadata }) => ({
        partition,
        offset: String(offset),
        metadata,
      })),
    }));
  }

  async function positions(wanted: readonly number[]): Promise<PositionsResult> {
    const giveUpAtMs = clock.nowMs() + settings.requestTimeoutMs;
    for (;;) {
      if (ended.signal.aborted) return { ok: false, reason: "the session is over" };
      let cluster: ClusterConnection | null = null;
      try {
        cluster = await connection.cluster();
        return { ok: true, positions: await readPositions(cluster, wanted) };
      } catch (error) {
        ports.forgetCoordinator();
        if (!protocolError(error) && cluster) connection.drop(cluster);
        if (clock.nowMs() > giveUpAtMs) return { ok: false, reason: reasonOf(error) };
        await sleep(clock, retryDelayMs);
        if (cluster && !cluster.closed)
          await cluster.refreshMetadata().catch(() => connection.drop(cluster!));
      }
    }
  }

  async function readPositions(
    cluster: ClusterConnection,
    wanted: readonly number[],
  ): Promise<InputPosition[]> {
    const broker = await ports.coordinator(cluster);
    const partitionsWanted = wanted.map((partition) => ({ partition }));
    const topics = inputTopics.map((topic) => ({
      topic: settings.nameOf(topic),
      partitions: partitionsWanted,
    }));
    const { responses } = await broker.offsetFetch({ groupId: settings.groupId, topics });
    const all = inputTopics.flatMap((topic) =>
      wanted.map((partition) => ({ topic: settings.nameOf(topic), partition })),
    );
    const bounds = new Map(
      (await listBounds(cluster, all, false)).map((b) => [`${b.topic}/${b.partition}`, b]),
    );
    return inputTopics.flatMap((topic) => {
      const name = settings.nameOf(topic);
      const stored = responses.find((response) => response.topic === name)?.partitions ?? [];
      return wanted.map((partition) => {
        const commit = stored.find((one) => one.partition === partition);
        const { start, end } = bounds.get(`${name}/${partition}`)!;
        const committed =
          commit && Number(commit.offset) >= 0
            ? { offset: Number(commit.offset), metadata: commit.metadata ?? "" }
            : null;
        return { topic, partition, committed, logStart: start, logEnd: end };
      });
    });
  }

  const session: Session = {
    partitions,
    ended: ended.signal,
    leaseMs,
    heldUntilMs() {
      const lastHeartbeatAt = lastHeartbeats.at();
      if (ended.signal.aborted || lastHeartbeatAt === null) return Number.NEGATIVE_INFINITY;
      // By both clocks: a suspended machine stops the monotonic one, while a rebalance begins and ends.
      const now = momentOf(clock);
      return now.monotonicMs + leaseMs - elapsedMs(lastHeartbeatAt, now);
    },
    positions,
    seek: buffer.seek,
    read: buffer.read,
    commit(commits) {
      const result = lastCommit.then(() => commit(commits));
      lastCommit = result;
      return result;
    },
  };
  return { session, recordHeartbeat: lastHeartbeats.record, end };
}

/** When the coordinator that stored the last commit was last heard from; before the first commit, any. */
function createLastHeartbeats(joined: Heartbeat) {
  const last = new Map([[joined.nodeId, joined.sentAt]]);
  let storedBy: number | null = null;
  return {
    record({ nodeId, sentAt }: Heartbeat): void {
      last.set(nodeId, later(last.get(nodeId) ?? sentAt, sentAt));
    },
    commitStoredBy(nodeId: number): void {
      storedBy = nodeId;
    },
    at: (): Moment | null =>
      storedBy === null ? [...last.values()].reduce(later) : (last.get(storedBy) ?? null),
  };
}

function later(a: Moment, b: Moment): Moment {
  return b.monotonicMs > a.monotonicMs ? b : a;
}

class CommitError extends Error {}
