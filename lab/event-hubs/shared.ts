/** What all connections of a proxy share. */

import type { Address } from "../../src/log/kafka/cluster/addresses.ts";
import type { Clock, Random } from "../../src/ports.ts";
import type { CommitPace } from "./commit-pace.ts";
import type { Quirks } from "./quirks.ts";

/** What it did that a broker would not have done. */
export interface ProxyCounts {
  connections: number;
  closedForSize: number;
  closedIdle: number;
  sessionsEnded: number;
  commitsDelayed: number;
  unknownProducers: number;
  configsRefused: number;
  /** Requests that it did not list, or in versions that it did not. */
  unlisted: number;
  largestProduceBytes: number;
}

export interface ProxyParts {
  readonly clock: Clock;
  readonly random: Random;
}

/** What all connections of a proxy share. */
export interface Shared extends ProxyParts {
  readonly quirks: Quirks;
  readonly counts: ProxyCounts;
  readonly pace: CommitPace;
  readonly own: Address;
  readonly broker: Address;
}
