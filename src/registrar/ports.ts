/** The ports that a registrar is given. */
import type { Graph } from "../graph-port.ts";
import type { Observer } from "../observer.ts";
import type { Clock, EventLog, Random, SnapshotStore } from "../ports.ts";
import type { RecordTraces } from "../trace-port.ts";

/** Of a part that waits longer from failure to failure, and says so. */
export type BackoffPorts = Pick<Ports, "clock" | "random" | "observe">;

/** All that the core knows of the world. */
export interface Ports {
  readonly log: EventLog;
  readonly graph: Graph;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  /** Without it, nothing is traced. */
  readonly traces?: RecordTraces;
  /** Without one, a restart reads the whole ledger. */
  readonly snapshots?: SnapshotStore;
}
