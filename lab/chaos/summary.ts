/** What is reported about a run: its options, the faults that struck, and the result. */
import type { ProxyCounts } from "../event-hubs/shared.ts";
import type { ChaosFlags } from "./options.ts";
import type { PlannedFault } from "./plan-faults.ts";
import type { ChaosDone } from "./run.ts";

export function summaryOf(result: ChaosDone, flags: ChaosFlags, proxy: Readonly<ProxyCounts> | null) {
  const { counts, struck, elapsedMs } = result;
  const { registered, duplicateObjects, duplicateRegistered, lost, recovered, refusedForTenant } = counts;
  const problems = [...counts.problems, ...(proxy === null ? [] : proxyProblems(proxy))];
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
    ...(flags.otherVersion === undefined ? {} : { updates: count("update") }),
    registered,
    duplicateObjects,
    duplicateRegistered,
    lost,
    recovered,
    elapsedMs,
    seed: flags.seed,
    ids: flags.ids,
    graphFaults: flags.graphFaults,
    ...(proxy === null ? {} : { flavor: flags.flavor, ...proxy }),
    problems,
  };
}

/** A worker that keeps to the limits is never cut off for them. */
function proxyProblems({ closedForSize, unlisted }: Readonly<ProxyCounts>): string[] {
  return [
    ...(closedForSize > 0
      ? [`${closedForSize} connections were closed for requests that are too large`]
      : []),
    ...(unlisted > 0 ? [`${unlisted} requests were of kinds or versions that are not listed`] : []),
  ];
}
