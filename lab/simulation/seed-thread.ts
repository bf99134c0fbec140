/** Runs batches of seeds in a thread of its own. */
import { parentPort } from "node:worker_threads";
import type { FaultClass } from "./fault-classes.ts";
import type { Entry } from "./history.ts";
import { runSeed } from "./run-seed.ts";
import type { SeedSummary, Task } from "./run-seeds.ts";

parentPort?.on("message", async ({ from, seeds, sabotage }: Task) => {
  const summaries: SeedSummary[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const { problems, residue, events, entries } = await runSeed(seed, { sabotage });
    const faults = faultsOf(entries);
    summaries.push({ seed, problems, residue: residue.length, events, counts: count(entries), faults });
  }
  parentPort?.postMessage(summaries);
});

/** The classes of faults that struck, as the history says. */
function faultsOf(entries: readonly Entry[]): FaultClass[] {
  const faults = new Set<FaultClass>();
  for (const entry of entries) {
    if (entry.kind === "struck") faults.add(entry.fault);
    if (entry.kind === "worker" && entry.event.kind === "record-parked") faults.add("records parked");
  }
  return [...faults];
}

function count(entries: readonly Entry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const entry of entries) {
    const name = nameOf(entry);
    if (name !== null) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function nameOf(entry: Entry): string | null {
  switch (entry.kind) {
    case "created":
      return "objects created";
    case "exit":
      return `workers ${entry.how}`;
    case "paused":
      return "pauses";
    case "note":
      return entry.text.includes("removed: ") ? "members removed" : null;
    case "worker":
      switch (entry.event.kind) {
        case "record-registered":
          return `registered, ${entry.event.outcome}`;
        case "record-duplicate":
          return "duplicates ignored";
        case "record-refused":
          return "dead letters";
        case "dead-letter-found":
          return "dead letters found";
        case "record-rehomed":
          return "moved home";
        case "record-parked":
          return "parked";
        case "partition-gained":
          return "take-overs";
        default:
          return null;
      }
    default:
      return null;
  }
}
