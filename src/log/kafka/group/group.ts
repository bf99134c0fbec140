/**
 * Membership of the worker's consumer group: Kafka's classic group protocol (join, sync, heartbeat, leave).
 *
 * Invariants
 * 1. A session ends before JoinGroup is sent, and before `onSession` is called with the next one.
 * 2. Heartbeats continue by themselves, whatever the worker does, for as long as the process runs.
 * 3. Lost connections do not end a session: the broker decides whether the generation is over, and until it answers
 *    again `heldUntilMs` runs out by itself.
 * 4. A member with an instance id keeps its place when it stops, for the process that comes next. When another process
 *    has taken the place, this one's session ends immediately, and it never joins again.
 */

import { strict as assert } from "node:assert";
import { momentOf } from "../../../moment.ts";
import type { Clock, EventLog, Session } from "../../../ports.ts";
import { inputTopics } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import { isRefusal, protocolError, reasonOf } from "../cluster/errors.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import type { FetcherConnections } from "../fetch/fetcher-options.ts";
import { waitAtMost } from "../fetch/reader.ts";
import { instanceIdTaken } from "./instance-id.ts";
import {
  checkPartitionCounts,
  GroupFault,
  type Joined,
  joinAndSync,
  type OwnClaim,
  refusalReason,
  refused,
} from "./join-group.ts";
import { memberRequests } from "./member-requests.ts";
import { createSession, type OwnSession } from "./session.ts";
import type { Generation, SessionSettings } from "./session-options.ts";

export interface GroupSettings extends SessionSettings {
  readonly partitionCount: number;
  /** Without any answer for this time, membership counts as lost permanently. */
  readonly outageMaxMs: number;
}

interface Lost {
  readonly reason: string;
  readonly problem?: Problem;
}

type Step<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "again" }
  | ({ readonly kind: "lost" } & Lost);

const leaveTimeoutMs = 5000;

export function createJoin(
  openConnection: (purpose: string) => ReconnectingConnection,
  settings: GroupSettings,
  clock: Clock,
): EventLog["join"] {
  return async (onSession, onFailure) => {
    const membership = new GroupMembership({ openConnection, settings, clock, onSession });
    const run = membership.run().then((lost) => {
      if (lost !== null) onFailure(lost.reason, lost.problem);
    });
    return { leave: () => membership.leave(run) };
  };
}

interface MembershipOptions {
  readonly openConnection: (purpose: string) => ReconnectingConnection;
  readonly settings: GroupSettings;
  readonly clock: Clock;
  readonly onSession: (session: Session) => void;
}

/** Holds the connections, the member id and the current session. */
class GroupMembership {
  readonly #settings: GroupSettings;
  readonly #clock: Clock;
  readonly #onSession: (session: Session) => void;
  readonly #connections: FetcherConnections;
  readonly #topics: string[];
  readonly #heartbeatMs: number;
  /** As trouble with the coordinator is named. */
  readonly #who: string;
  #memberId = "";
  /** All that it ever had. */
  readonly #ownIds = new Set<string>();
  #claim: OwnClaim = { generation: -1, partitions: [] };
  #coordinator: { cluster: ClusterConnection; broker: Broker } | null = null;
  #current: OwnSession | null = null;
  #leaving = false;
  #lost: Lost | null = null;
  #wake: () => void = () => {};
  #isGenerationOver = false;
  #troubleSinceMs: number | null = null;
  #left: Promise<void> | null = null;

  constructor({ openConnection, settings, clock, onSession }: MembershipOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onSession = onSession;
    this.#connections = { long: openConnection("group"), short: openConnection("group-short") };
    this.#topics = inputTopics.map(settings.nameOf);
    this.#who = `group ${settings.groupId}`;
    this.#heartbeatMs = Math.min(1000, Math.max(100, settings.sessionTimeoutMs / 15));
  }

  /** Until left (null) or permanently lost (why). */
  async run(): Promise<Lost | null> {
    while (!this.#leaving && this.#lost === null) {
      const joined = await this.#attempt((cluster) => this.#joinAndSync(cluster));
      if (joined.kind === "lost") this.#lost = joined;
      if (joined.kind !== "done" || this.#leaving) continue;
      this.#begin(joined.value);
      while (!this.#isGenerationOver && !this.#leaving && this.#lost === null) {
        await this.#pause(this.#heartbeatMs);
        if (this.#isGenerationOver || this.#leaving || this.#lost !== null) break;
        const heartbeat = await this.#attempt((cluster) => this.#heartbeat(cluster));
        if (heartbeat.kind === "lost") this.#lost = heartbeat;
      }
    }
    this.#end();
    if (this.#lost !== null && !this.#leaving) {
      await this.#leaveGroup();
      return this.#lost;
    }
    return null;
  }

  leave(run: Promise<void>): Promise<void> {
    this.#leaving = true;
    this.#end();
    this.#wake();
    this.#left ??= waitAtMost(this.#clock, leaveTimeoutMs, run).then(() => this.#leaveGroup());
    return this.#left;
  }

  /** Tells the coordinator, so that the others need not wait for a time-out; then closes. */
  async #leaveGroup(): Promise<void> {
    const memberId = this.#memberId;
    this.#memberId = "";
    const { groupId, instanceId } = this.#settings;
    // 4
    if (memberId !== "" && instanceId === null) {
      const leaving = this.#connections.long
        .cluster()
        .then((cluster) => this.#findCoordinator(cluster))
        .then((broker) => broker.leaveGroup({ groupId, memberId }));
      await waitAtMost(this.#clock, leaveTimeoutMs, leaving);
    }
    this.#connections.long.close();
    this.#connections.short.close();
  }

  #begin(joined: Joined & Pick<Generation, "topicIds">): void {
    this.#isGenerationOver = false;
    this.#claim = { generation: joined.generationId, partitions: joined.partitions };
    const { generationId, partitions, topicIds } = joined;
    const memberIds = new Set([...joined.memberIds, ...this.#ownIds]);
    this.#current = createSession({
      generation: { memberId: this.#memberId, memberIds, generationId, partitions, topicIds },
      joined: joined.sync,
      settings: this.#settings,
      ports: {
        connections: this.#connections,
        coordinator: (cluster) => this.#findCoordinator(cluster),
        forgetCoordinator: () => {
          this.#coordinator = null;
        },
        onGenerationOver: (memberIsUnknown) => {
          if (this.#claim.generation !== generationId) return;
          this.#endGeneration(memberIsUnknown);
          this.#wake();
        },
        onFenced: () => {
          this.#lost ??= this.#fenced();
          this.#end();
          this.#wake();
        },
        onFatal: (reason, problem) => {
          this.#lost ??= problem ? { reason, problem } : { reason };
          this.#wake();
        },
      },
      clock: this.#clock,
    });
    this.#onSession(this.#current.session);
  }

  #end(): void {
    this.#current?.end();
    this.#current = null;
  }

  #fenced(): Lost {
    const { groupId, instanceId } = this.#settings;
    const problem = instanceIdTaken(groupId, instanceId ?? "");
    return { reason: problem.message, problem };
  }

  #endGeneration(memberIsUnknown: boolean): void {
    this.#isGenerationOver = true;
    if (memberIsUnknown) this.#memberId = "";
    this.#end();
  }

  /** One step with the broker, its failures sorted: to be tried again after a pause, or permanent. */
  async #attempt<T>(step: (cluster: ClusterConnection) => Promise<T>): Promise<Step<T>> {
    let cluster: ClusterConnection | null = null;
    try {
      cluster = await this.#connections.long.cluster();
      const value = await step(cluster);
      this.#settings.health.worked(this.#who);
      this.#troubleSinceMs = null;
      return { kind: "done", value };
    } catch (error) {
      const type = protocolError(error);
      if (type === "FENCED_INSTANCE_ID") return { kind: "lost", ...this.#fenced() }; // 4
      if (error instanceof GroupFault) return { kind: "lost", ...refused(error.message) };
      if (isRefusal(error)) return { kind: "lost", ...refused(refusalReason(error, this.#settings)) };
      if (type === "REBALANCE_IN_PROGRESS" || type === "ILLEGAL_GENERATION" || type === "UNKNOWN_MEMBER_ID") {
        this.#endGeneration(type === "UNKNOWN_MEMBER_ID");
        this.#troubleSinceMs = null;
        return { kind: "again" };
      }
      this.#coordinator = null;
      if (cluster && !type) this.#connections.long.drop(cluster);
      this.#settings.health.failed(this.#who, reasonOf(error));
      this.#troubleSinceMs ??= this.#clock.nowMs();
      const downMs = this.#clock.nowMs() - this.#troubleSinceMs;
      if (downMs > this.#settings.outageMaxMs) {
        return { kind: "lost", reason: `no answer for ${Math.round(downMs / 1000)} s: ${reasonOf(error)}` };
      }
      await this.#pause(Math.min(1000, 100 + downMs / 10));
      if (cluster && !cluster.closed)
        await cluster.refreshMetadata().catch(() => this.#connections.long.drop(cluster!));
      return { kind: "again" };
    }
  }

  async #findCoordinator(cluster: ClusterConnection): Promise<Broker> {
    if (this.#coordinator?.cluster === cluster) return this.#coordinator.broker;
    const broker = await cluster.coordinator(this.#settings.groupId);
    this.#coordinator = { cluster, broker };
    return broker;
  }

  async #joinAndSync(cluster: ClusterConnection): Promise<Joined & Pick<Generation, "topicIds">> {
    await cluster.refreshMetadata();
    checkPartitionCounts(cluster, this.#topics, this.#settings.partitionCount);
    const broker = await this.#findCoordinator(cluster);
    // The next owner of these partitions may begin as soon as the request is out. 1
    assert(this.#current === null, "a session outlives its generation");
    const topicIds = new Map(this.#topics.map((topic) => [topic, cluster.topicId(topic)]));
    const joined = await joinAndSync(
      broker,
      { ...this.#settings, topics: this.#topics, memberId: this.#memberId, claim: this.#claim },
      {
        clock: this.#clock,
        onMemberId: (memberId) => {
          this.#memberId = memberId;
          if (memberId !== "") this.#ownIds.add(memberId);
        },
      },
    );
    return { ...joined, topicIds };
  }

  async #heartbeat(cluster: ClusterConnection): Promise<void> {
    const broker = await this.#findCoordinator(cluster);
    const sentAt = momentOf(this.#clock);
    const { groupId, instanceId } = this.#settings;
    await memberRequests(broker, instanceId).heartbeat({
      groupId,
      groupGenerationId: this.#claim.generation,
      memberId: this.#memberId,
    });
    this.#current?.recordHeartbeat({ nodeId: broker.nodeId, sentAt });
  }

  /** Until the delay is over or something wakes the loop. */
  #pause(delayMs: number): Promise<void> {
    if (this.#leaving) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
