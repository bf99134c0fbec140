/** What the parts of a run share. */
import type { OpenLog } from "../../src/compose.ts";
import type { Brokers, Cluster } from "./brokers.ts";
import type { Crew } from "./crew.ts";
import type { ChaosPlan } from "./plan.ts";
import type { PlannedFault } from "./plan-faults.ts";
import type { TenantsFile } from "./tenant-changes.ts";
import type { Versions } from "./versions.ts";

export interface Course {
  readonly plan: ChaosPlan;
  readonly log: OpenLog;
  readonly crew: Crew;
  readonly brokers: Brokers;
  /** Null: one broker. */
  readonly cluster: Cluster | null;
  /** In the order in which they struck. */
  readonly struck: PlannedFault[];
  /** Of what may be emitted, and was. */
  readonly emission: Emission;
  readonly tenants: TenantsFile;
  readonly versions: Versions;
  /** Whether workers may continue over gaps. */
  readonly worker: { continueOverGaps: boolean };
  readonly problems: string[];
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface Emission {
  /** Records that the log confirmed. */
  done: number;
  /** Records that may stand in the input beyond what is settled: what a fault finds under way. */
  ahead: number;
}
