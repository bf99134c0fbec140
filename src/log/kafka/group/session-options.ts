/** What a session works with. */
import type { Clock, InputPosition } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import type { Broker } from "../cluster/broker.ts";
import type { ClusterConnection } from "../cluster/cluster-connection.ts";
import type { Health } from "../cluster/health.ts";
import type { FetcherConnections } from "../fetch/fetcher-options.ts";
import type { Heartbeat } from "./heartbeat.ts";

export interface SessionSettings {
  readonly groupId: string;
  /** Null: a member without a place of its own. */
  readonly instanceId: string | null;
  /** The value of --bootstrap-server in commands that messages show. */
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
  /** Members whose earlier sessions are over. */
  readonly memberIds: ReadonlySet<string>;
  readonly generationId: number;
  readonly partitions: readonly number[];
  /** Of the inputs, by name, as they were when this member joined. */
  readonly topicIds: ReadonlyMap<string, string | null>;
}

export interface SessionPorts {
  readonly connections: FetcherConnections;
  coordinator(cluster: ClusterConnection): Promise<Broker>;
  forgetCoordinator(): void;
  /** The broker says that this generation is over, or that it does not know this member any more. */
  onGenerationOver(memberIsUnknown: boolean): void;
  /** Another process has taken this member's place. */
  onFenced(): void;
  onFatal(reason: string, problem?: Problem): void;
}

export interface SessionOptions {
  readonly generation: Generation;
  /** The join itself, which counts as a heartbeat. */
  readonly joined: Heartbeat;
  readonly settings: SessionSettings;
  readonly ports: SessionPorts;
  readonly clock: Clock;
}
