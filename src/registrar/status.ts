/** What a worker says of itself, for people and for probes. */
import type { BreakerState } from "../policy/breaker.ts";
import type { Clock, EventLog, Session } from "../ports.ts";
import type { Flow } from "./flow/flow.ts";
import { parkedCount } from "./intake/parking.ts";
import type { LogWatch } from "./ownership/log-watch.ts";
import { isHeld, type OwnedPartition } from "./ownership/partition.ts";

export interface RegistrarStatus {
  readonly ready: boolean;
  /** One line for each part that isn't ready, and why. */
  readonly notReady: readonly string[];
  readonly partitions: readonly number[];
  /** Requests to Graph under way. */
  readonly inFlight: number;
  /** Records that wait for a request or a read-back. */
  readonly waiting: number;
  /** Records in the retry topic that wait for their tenant. */
  readonly parked: number;
  readonly ledgerEntries: number;
  readonly breaker: BreakerState;
  readonly blockedTenants: readonly string[];
  /** Records in the input topics that are not settled, as of the last look at the log. */
  readonly lagRecords: number;
}

export interface StatusParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly owned: ReadonlyMap<number, OwnedPartition>;
  readonly flow: Flow;
  readonly watch: Pick<LogWatch, "lagRecords">;
}

/** `session`: null before the first one. */
export function statusOf(
  { log, clock, owned, flow, watch }: StatusParts,
  session: Session | null,
  isStopping: boolean,
): RegistrarStatus {
  const partitions = [...owned.values()].filter(({ confirmed }) => confirmed).map(({ number }) => number);
  const notReady: string[] = [];
  const trouble = log.trouble?.() ?? null;
  if (trouble !== null) notReady.push(`log: ${trouble}`);
  if (session === null) notReady.push("group: no partitions assigned yet");
  for (const number of session?.partitions ?? []) {
    if (!partitions.includes(number)) notReady.push(`partition ${number}: being taken over`);
  }
  if (partitions.length > 0 && ![...owned.values()].some((partition) => isHeld(partition, clock))) {
    notReady.push("group: no commit was acknowledged lately, so nothing is posted");
  }
  const { breaker, ...counts } = flow.status();
  if (breaker !== "closed") notReady.push(`graph: not answering, the circuit breaker is ${breaker}`);
  if (isStopping) notReady.push("worker: stopping");
  const ledgerEntries = [...owned.values()].reduce((sum, { ledger }) => sum + ledger.size, 0);
  const parked = [...owned.values()].reduce((sum, { parking }) => sum + parkedCount(parking), 0);
  const lagRecords = watch.lagRecords();
  return {
    ready: notReady.length === 0,
    notReady,
    partitions,
    parked,
    ledgerEntries,
    breaker,
    lagRecords,
    ...counts,
  };
}
