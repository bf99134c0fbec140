/** What is told of a run: what was asked for, what struck, and what came of it. */
import type { ChaosFlags } from "./options.ts";
import type { PlannedFault } from "./plan-faults.ts";
import type { ChaosResult } from "./run.ts";

export function summaryOf(result: Extract<ChaosResult, { kind: "done" }>, flags: ChaosFlags) {
  const { counts, struck, elapsedMs } = result;
  const { registered, duplicateObjects, duplicateRegistered, lost, recovered, refusedForTenant, problems } =
    counts;
  const count = (...kinds: PlannedFault["kind"][]) =>
    struck.filter(({ kind }) => kinds.includes(kind)).length;
  const ofThree = {
    coordinatorRestarts: struck.filter(
      (fault) => fault.kind === "broker-restart" && fault.target === "coordinator",
    ).length,
    brokerFreezes: count("broker-freeze"),
    linkCuts: count("worker-cut", "broker-cut"),
    uncleanElections: count("unclean-election"),
  };
  return {
    events: flags.events,
    brokers: Number(flags.brokers),
    kills: count("kill"),
    freezes: count("freeze"),
    brokerRestarts: count("broker-restart"),
    ...(flags.brokers === "3" ? ofThree : {}),
    ...(flags.tenantChanges ? { tenantChanges: count("tenant-change"), refusedForTenant } : {}),
    registered,
    duplicateObjects,
    duplicateRegistered,
    lost,
    recovered,
    elapsedMs,
    seed: flags.seed,
    ids: flags.ids,
    problems,
  };
}
