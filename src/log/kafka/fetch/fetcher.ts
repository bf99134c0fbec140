/**
 * Fetches what a buffer wants. For each leader there is one long poll over all partitions that want records; a partition that
 * begins to want records during that poll is fetched by a short one, on a connection of its own. So a record that
 * arrives at an idle partition is handed over immediately, and a partition with a backlog never waits for the idle ones.
 */
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { isRefusal, reasonOf } from "../cluster/errors.ts";
import type { ProtocolRequest } from "../cluster/protocol.ts";
import { refused } from "../group/join-group.ts";
import { FetchAnswers, type FetchedInput } from "./fetch-answers.ts";
import type { InputPartition } from "./fetch-buffer.ts";
import { type Fetched, fetchRequest } from "./fetch-request.ts";
import type { FetcherOptions } from "./fetcher-options.ts";

/** The limit of an answer, all partitions together, as a multiple of one partition's limit. */
const partitionsPerAnswer = 8;
const longPollMs = 250;
const shortPollMs = 10;

export interface Fetcher {
  /** Looks for partitions that want records. */
  pump(): void;
  stop(): void;
}

type PollKind = "long" | "short";

export function createFetcher(options: FetcherOptions): Fetcher {
  const fetcher = new LeaderPolls(options);
  return { pump: () => fetcher.pump(), stop: () => fetcher.stop() };
}

class LeaderPolls {
  readonly #options: FetcherOptions;
  readonly #answers: FetchAnswers;
  /** That are out, by leader. */
  readonly #polls = new Map<number, Set<PollKind>>();
  #stopped = false;
  #scheduled = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#answers = new FetchAnswers(options, () => this.pump());
  }

  pump(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    // After the current jobs: partitions that want records together are asked for together.
    setImmediate(() => {
      this.#scheduled = false;
      void this.#start();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#answers.stop();
  }

  async #start(): Promise<void> {
    const { buffer, connections } = this.#options;
    if (this.#stopped || buffer.wanting().length === 0) return;
    let cluster: ClusterConnection;
    try {
      cluster = await connections.long.cluster();
    } catch (error) {
      return this.#answers.backOff(buffer.wanting(), null, reasonOf(error));
    }
    const byLeader = Map.groupBy(buffer.wanting(), (input) => cluster.leaderOf(input.name, input.partition));
    for (const [leader, inputs] of byLeader) {
      if (leader === null) {
        this.#answers.backOff(inputs, cluster, "a partition has no leader");
        continue;
      }
      const out = this.#polls.get(leader) ?? new Set();
      this.#polls.set(leader, out);
      // A short poll brings its partitions back soon: then one long poll takes them all.
      if (!out.has("short")) void this.#poll(out.has("long") ? "short" : "long", leader, inputs);
    }
  }

  async #poll(kind: PollKind, leader: number, inputs: readonly InputPartition[]): Promise<void> {
    const { connections, onFatal } = this.#options;
    const connection = connections[kind];
    const out = this.#polls.get(leader)!;
    out.add(kind);
    const requests = inputs.map((input) => ({ input, offset: input.position! }));
    for (const input of inputs) input.fetching = true;
    let cluster: ClusterConnection | null = null;
    try {
      cluster = await connection.cluster();
      const broker = await cluster.broker(leader);
      const answers = await broker.send(this.#request(cluster, broker, { kind, requests }));
      for (const input of inputs) input.fetching = false;
      this.#answers.take(cluster, requests, answers);
    } catch (error) {
      if (cluster) connection.drop(cluster);
      this.#answers.backOff(inputs, cluster, reasonOf(error));
      if (!this.#stopped && isRefusal(error)) onFatal(reasonOf(error), refused(reasonOf(error)).problem);
    }
    out.delete(kind);
    this.pump();
  }

  #request(
    cluster: ClusterConnection,
    { versions }: Broker,
    { kind, requests }: { readonly kind: PollKind; readonly requests: readonly FetchedInput[] },
  ): ProtocolRequest<Fetched[]> {
    const { maxPartitionFetchBytes } = this.#options.settings;
    const parts = requests.map(({ input, offset }) => ({
      topic: input.name,
      topicId: input.topicId,
      partition: input.partition,
      offset,
      leaderEpoch: cluster.leaderEpochOf(input.name, input.partition),
      lastEpoch: input.lastEpoch,
      maxBytes: maxPartitionFetchBytes,
    }));
    const maxBytes = partitionsPerAnswer * maxPartitionFetchBytes;
    const maxWaitMs = kind === "long" ? longPollMs : shortPollMs;
    return fetchRequest(versions, parts, { maxBytes, maxWaitMs });
  }
}
