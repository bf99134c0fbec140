/**
 * The requests of one session to its coordinator: commits and positions. What passes is tried again, until the session has
 * ended or the time is up.
 *
 * 1. Every request carries the session's own member id and generation.
 * 2. Commits are sent one after another, in the order of calls.
 * 3. INV-CLAIM: stored positions count only from a coordinator that knows this generation. One that was cut off from the other
 *    brokers still answers with what was stored before another one took its place, and so with claims that are over.
 */

import type { Commit, CommitResult, PositionsResult } from "../../../ports.ts";
import { inputTopics } from "../../../ports.ts";
import { sleep } from "../../../sleep.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { protocolError, reasonOf } from "../cluster/errors.ts";
import { commitTopics, readPositions } from "./committed-offsets.ts";
import { memberRequests } from "./member-requests.ts";
import type { SessionOptions } from "./session-options.ts";

export interface SessionRequestsOptions extends Omit<SessionOptions, "joined"> {
  readonly ended: AbortSignal;
  /** Called with the coordinator that stored a commit. */
  readonly onStored: (nodeId: number) => void;
}

const generationOverErrors = new Set(["ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS"]);
/** The coordinator is elsewhere or still loading: certainly nothing was stored. */
const coordinatorMovedErrors = new Set(["GROUP_LOAD_IN_PROGRESS", "NOT_COORDINATOR_FOR_GROUP"]);
const retryDelayMs = 100;

export class SessionRequests {
  readonly #options: SessionRequestsOptions;
  #lastCommit: Promise<unknown> = Promise.resolve();

  constructor(options: SessionRequestsOptions) {
    this.#options = options;
  }

  readonly commit = (commits: readonly Commit[]): Promise<CommitResult> => {
    const result = this.#lastCommit.then(() => this.#commit(commits)); // 2
    this.#lastCommit = result;
    return result;
  };

  readonly positions = async (partitions: readonly number[]): Promise<PositionsResult> => {
    const { settings, ports, clock, ended } = this.#options;
    const { long } = ports.connections;
    const inputs = inputTopics.flatMap((topic) => partitions.map((partition) => ({ topic, partition })));
    const giveUpAtMs = clock.nowMs() + settings.requestTimeoutMs;
    for (;;) {
      if (ended.aborted) return { ok: false, reason: "the session is over" };
      let cluster: ClusterConnection | null = null;
      try {
        cluster = await long.cluster();
        const coordinator = await ports.coordinator(cluster);
        const positions = await readPositions({ cluster, coordinator }, settings, inputs);
        await this.#confirm(coordinator); // 3, INV-CLAIM
        return { ok: true, positions };
      } catch (error) {
        ports.forgetCoordinator();
        if (!protocolError(error) && cluster) long.drop(cluster);
        if (clock.nowMs() > giveUpAtMs) return { ok: false, reason: reasonOf(error) };
        await sleep(clock, retryDelayMs);
        if (cluster && !cluster.closed) await cluster.refreshMetadata().catch(() => long.drop(cluster!));
      }
    }
  };

  async #commit(commits: readonly Commit[]): Promise<CommitResult> {
    const { settings, ports, clock, ended, onStored } = this.#options;
    const { health, groupId } = settings;
    const what = `commits of group ${groupId}`;
    const { long } = ports.connections;
    const giveUpAtMs = clock.nowMs() + settings.requestTimeoutMs;
    for (;;) {
      if (ended.aborted) return "superseded";
      let cluster: ClusterConnection | null = null;
      try {
        cluster = await long.cluster();
        const broker = await ports.coordinator(cluster);
        if (ended.aborted) return "superseded";
        await this.#sendCommit(broker, commits);
        onStored(broker.nodeId);
        health.worked(what);
        return "committed";
      } catch (error) {
        const type = protocolError(error);
        if (type === "FENCED_INSTANCE_ID") {
          ports.onFenced();
          return "superseded";
        }
        if (type && generationOverErrors.has(type)) {
          ports.onGenerationOver(type === "UNKNOWN_MEMBER_ID");
          return "superseded";
        }
        health.failed(what, reasonOf(error));
        ports.forgetCoordinator();
        if (!type && cluster) long.drop(cluster);
        if (error instanceof CommitError && !(type && coordinatorMovedErrors.has(type))) return "unknown";
        if (clock.nowMs() > giveUpAtMs) return "unknown";
        await sleep(clock, retryDelayMs);
      }
    }
  }

  /** Throws unless it knows this generation, which may be about to end. */
  async #confirm(broker: Broker): Promise<void> {
    const { generation, settings } = this.#options;
    const { memberId, generationId: groupGenerationId } = generation;
    try {
      const { groupId, instanceId } = settings;
      await memberRequests(broker, instanceId).heartbeat({ groupId, groupGenerationId, memberId });
    } catch (error) {
      if (protocolError(error) !== "REBALANCE_IN_PROGRESS") throw error;
    }
  }

  /** Only what goes wrong in here leaves it open whether something was stored. */
  async #sendCommit(broker: Broker, commits: readonly Commit[]): Promise<void> {
    const { generation, settings } = this.#options;
    try {
      await memberRequests(broker, settings.instanceId).offsetCommit({
        groupId: settings.groupId,
        memberId: generation.memberId, // 1
        groupGenerationId: generation.generationId, // 1
        topics: commitTopics(commits, settings),
      });
    } catch (error) {
      throw new CommitError(reasonOf(error), { cause: error });
    }
  }
}

class CommitError extends Error {}
