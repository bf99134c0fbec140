/** What a fetcher works with. */
import type { Clock } from "../../../ports.ts";
import type { Problem } from "../../../problem.ts";
import type { Health } from "../cluster/health.ts";
import type { ReconnectingConnection } from "../cluster/reconnecting-connection.ts";
import type { FetchBuffer } from "./fetch-buffer.ts";
import type { ReadContext } from "./unreadable.ts";

export interface FetcherConnections {
  readonly long: ReconnectingConnection;
  readonly short: ReconnectingConnection;
}

export interface FetcherSettings extends Pick<ReadContext, "bootstrap" | "groupId"> {
  readonly maxPartitionFetchBytes: number;
  readonly health: Health;
}

export interface FetcherOptions {
  readonly buffer: FetchBuffer;
  readonly connections: FetcherConnections;
  readonly settings: FetcherSettings;
  readonly clock: Clock;
  /** Called when a partition can't be read on: a retry would not help. */
  readonly onFatal: (reason: string, problem?: Problem) => void;
}
