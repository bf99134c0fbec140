/** What the parts of the core share: the ports, the settings, what Graph has shown, and the one way to say that something happened. */
import type { Problem } from "../../problem.ts";
import type { OwnedPartition, UnsettledRecord } from "../ownership/partition.ts";
import type { Ports } from "../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { Gate } from "./gate.ts";
import type { CloudsShown } from "./graph-shown.ts";
import type { LifeEvent } from "./life-events.ts";

export interface Core {
  readonly ports: Ports;
  readonly settings: RegistrarSettings;
  readonly gate: Gate;
  readonly shown: CloudsShown;
  readonly outside: Outside;
  /** Something happened to a record: its stage changes, and what follows is carried out, before this returns. */
  readonly raise: (unsettled: UnsettledRecord, event: LifeEvent) => void;
}

/** What the flow of records needs of the rest of the worker. */
export interface Outside {
  /** There may be something to commit, and room in the window. */
  settled(partition: OwnedPartition): void;
  /** Records wait for a commit: one that promises them, or that renews the lease. */
  commitNow(): void;
  /** A record waits since its tenant is paused. */
  paused(partition: OwnedPartition): void;
  fault(fault: Problem): void;
}
