/** Those of take-over, commits and status, by file: see equivalents.ts. */
import type { Equivalent } from "./trial.ts";

const offInSimulation = "The switch turns a defence off, for the simulation only.";

const parkedTwice = "Parked once more in the same turn: the second time nothing is left to park.";

const byFile: Readonly<Record<string, readonly Omit<Equivalent, "file">[]>> = {
  "src/registrar/registrar.ts": [
    {
      line: "flow.wake();",
      change: "flow.wake(); -> (removed)",
      why: "What waits for the session is looked at again a quarter of a second later.",
    },
    {
      line: "parker.checkParked(partition);",
      change: "parker.checkParked(partition); -> (removed)",
      why: "A copy that is lost is missed some seconds later, at the next look at the log.",
    },
    {
      line: "for (const partition of owned.values()) reader.wake(partition);",
      change: "reader.wake(partition); -> (removed)",
      why: "A loop of the session before that waits for room ends a quarter of a second later, and does nothing until then.",
    },
    {
      line: "if (pausing.has(partition)) return;",
      change: "if (pausing.has(partition)) -> if (false)",
      why: parkedTwice,
    },
    {
      line: "pausing.add(partition);",
      change: "pausing.add(partition); -> (removed)",
      why: parkedTwice,
    },
  ],
  "src/registrar/status.ts": [
    {
      line: "if (trouble !== null) notReady.push(`log: ${trouble}`);",
      change: ".push -> .unshift",
      why: "It is the first entry.",
    },
  ],
  "src/registrar/ownership/commit-claim.ts": [
    {
      line: "...(holder === undefined ? {} : { holder }),",
      change: "conditional (holder === undefined) -> conditional (false)",
      why: "A holder that is undefined is not written either (commit-metadata.ts).",
    },
  ],
  "src/registrar/ownership/dead-letters.ts": [
    {
      line: "return suspectsBelow > startAt ? [{ from, offset: suspectsBelow - 1 }] : [];",
      change: "conditional (suspectsBelow > startAt) -> conditional (true)",
      why: "An entry before the start is covered by each commit, the first one included.",
    },
    {
      line: "return suspectsBelow > startAt ? [{ from, offset: suspectsBelow - 1 }] : [];",
      change: "suspectsBelow > startAt -> suspectsBelow >= startAt",
      why: "An entry before the start is covered by each commit, the first one included.",
    },
    {
      line: "open[topic].push({ from: end, offset }); // 1",
      change: ".push -> .unshift",
      why: "The least of them counts, in whatever order they stand.",
    },
    {
      line: "open.retry.push({ from: inheritedFrom, offset }); // 1",
      change: ".push -> .unshift",
      why: "The least of them counts, in whatever order they stand.",
    },
    {
      line: "if (last?.from === inheritedFrom && last.offset <= offset) open.retry.pop();",
      change: "last.offset <= offset -> last.offset < offset",
      why: "The same entry twice says what one says.",
    },
    {
      line: "const hash = found.size === 0 ? undefined : found.get(positionId(originOf(record)));",
      change: "conditional (found.size === 0) -> conditional (false)",
      why: "It only spares the look into a map that is empty.",
    },
    {
      line: "return hash !== undefined && hash === eventHash(record); // 3, INV-DURABLE-OUTCOME",
      change: "hash !== undefined && hash === eventHash(record) -> hash === eventHash(record)",
      why: "It only spares the hash of a record that was not found.",
    },
  ],
  "src/registrar/ownership/due-commits.ts": [
    {
      line: "...(holder === undefined ? {} : { holder }),",
      change: "conditional (holder === undefined) -> conditional (false)",
      why: "A holder that is undefined is not written either (commit-metadata.ts).",
    },
  ],
  "src/registrar/ownership/log-watch.ts": [
    {
      line: "const { start, end } = bounds[topic]?.[number] ?? nowhere;",
      change: "bounds[topic]?.[number] ?? nowhere -> nowhere",
      why: "What is said of a topic that was made again names neither its start nor its end.",
    },
  ],
  "src/registrar/ownership/ownership.ts": [
    {
      line: 'if (settings.sabotage?.has("late-dead-letters")) return;',
      change: 'if (settings.sabotage?.has("late-dead-letters")) -> if (false)',
      why: offInSimulation,
    },
    {
      line: "if (!lost.signal.aborted) await suspects.findDeadLetters(partition); // INV-DURABLE-OUTCOME",
      change: "if (!lost.signal.aborted) -> if (true)",
      why: "Of a partition that is lost nothing is read either way (persist.ts).",
    },
  ],
  "src/registrar/ownership/suspects.ts": [
    {
      line: 'if (result.logEnd === undefined || settings.sabotage?.has("end-in-take-over")) return result;',
      change:
        'result.logEnd === undefined || settings.sabotage?.has("end-in-take-over") -> result.logEnd === undefined',
      why: offInSimulation,
    },
    {
      line: 'if (doubts.size === 0 || settings.sabotage?.has("dead-letters-unread")) return true;',
      change: 'doubts.size === 0 || settings.sabotage?.has("dead-letters-unread") -> doubts.size === 0',
      why: offInSimulation,
    },
  ],
};

export const ofOwnership: readonly Equivalent[] = Object.entries(byFile).flatMap(([file, entries]) =>
  entries.map((entry) => ({ file, ...entry })),
);
