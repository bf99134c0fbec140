/** The options that `--rolling` allows, and the summary of a run. */
import { existsSync } from "node:fs";
import type { Problem } from "../../../src/problem.ts";
import type { ChaosFlags } from "../options.ts";
import type { RollingDone } from "./run.ts";

/** Null: the flags fit. */
export function rollingProblem(flags: ChaosFlags): Problem | null {
  const { brokers, flavor, hours, otherVersion, tenantChanges, uncleanElection, program } = flags;
  if (program !== undefined && !existsSync(program)) {
    const message = `--program: there is no file ${program}.`;
    return {
      code: "no-program",
      message,
      fix: "Type npm run build first, then --program dist/demo/main.js.",
    };
  }
  if (brokers !== "1" || flavor !== "kafka") {
    const message = "--rolling runs one broker of Apache Kafka.";
    return { code: "one-broker", message, fix: "Leave --brokers and --flavor out." };
  }
  if (hours === undefined && otherVersion === undefined && !tenantChanges && !uncleanElection) return null;
  const message =
    "--rolling goes with none of --hours, --other-version, --tenant-changes and --unclean-election.";
  return { code: "rolling-alone", message, fix: "Leave those out." };
}

export function rollingSummary(
  result: RollingDone,
  flags: Pick<ChaosFlags, "rate" | "seed" | "ids" | "static">,
) {
  const { counts, tenants, events, baselinePauseMs, restarts } = result;
  const { registered, duplicateObjects, duplicateRegistered, lost, recovered, problems } = counts;
  return {
    static: flags.static ?? false,
    ...{ tenants, rate: flags.rate, events },
    restarts: restarts.map(({ worker, stopMs, startMs, pauseMs }) => ({ worker, stopMs, startMs, pauseMs })),
    baselinePauseMs,
    longestPauseMs: restarts.reduce((longest, { pauseMs }) => Math.max(longest, pauseMs), 0),
    ...{ registered, duplicateObjects, duplicateRegistered, lost, recovered },
    ...{ seed: flags.seed, ids: flags.ids, problems },
  };
}
