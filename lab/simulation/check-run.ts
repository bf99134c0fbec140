/** What the checks are given, and what they find beside violations. */
import type { GraphObject } from "../../src/graph-port.ts";
import type { Defect } from "./graph-server.ts";
import type { Entry } from "./history.ts";
import type { InputsByPlace } from "./origins.ts";
import type { Workload } from "./workload.ts";

export interface Run {
  readonly entries: readonly Entry[];
  readonly workload: Workload;
  readonly inputsAt: InputsByPlace;
  /** A tenant of which something goes wrong for good: what its records come to is judged by what that allows. */
  readonly defectiveTenant: string | null;
  readonly defect: Defect | null;
  /** Graph honours the ids that are sent: not even a frozen create can make a second object. */
  readonly idsProtect: boolean;
  /** All settled in time: what must be there at the end may be demanded. */
  readonly isSettled: boolean;
}

export interface Residue {
  readonly tenantId: string;
  readonly objectIds: readonly string[];
}

export interface Created {
  readonly object: GraphObject;
  readonly tMs: number;
  readonly calledAtMs: number;
  /** Its process stood still inside the create for longer than the settle time, and went on. */
  readonly isLate: boolean;
}

export interface GraphFindings {
  readonly violations: readonly string[];
  readonly residue: readonly Residue[];
  /** By identity number. */
  readonly created: ReadonlyMap<number, readonly Created[]>;
  /** The identity that each object was made for, by tenant and id. */
  readonly identityOf: ReadonlyMap<string, number>;
  /** Failed answers by identity number. */
  readonly failures: ReadonlyMap<number, number>;
}
