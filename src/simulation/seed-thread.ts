/** Runs batches of seeds in a thread of its own. */
import { parentPort } from "node:worker_threads";
import type { Entry } from "./history.ts";
import { runSeed } from "./run-seed.ts";
import type { SeedSummary, Task } from "./run-seeds.ts";

parentPort?.on("message", async ({ from, seeds, sabotage }: Task) => {
  const summaries: SeedSummary[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const { problems, residue, events, entries } = await runSeed(seed, { sabotage });
    summaries.push({ seed, problems, residue: residue.length, events, counts: count(entries) });
  }
  parentPort?.postMessage(summaries);
});

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
    case "note":
      return entry.text.startsWith("freezes")
        ? "freezes"
        : entry.text.includes("removed: ")
          ? "members removed"
          : null;
    case "worker":
      switch (entry.event.kind) {
        case "record-registered":
          return `registered, ${entry.event.outcome}`;
        case "record-duplicate":
          return "duplicates ignored";
        case "record-refused":
          return "dead letters";
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
