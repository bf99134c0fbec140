/** Those of src/registrar/ownership. */
import type { EquivalentsByFile } from "../trial.ts";

export const ofOwnership: EquivalentsByFile = {
  "src/registrar/ownership/commit-claim.ts": [
    {
      line: "...(holder === undefined ? {} : { holder }),",
      change: "conditional (holder === undefined) -> conditional (false)",
      why: "A holder that is undefined is not written either (commit-metadata.ts).",
    },
  ],
  "src/registrar/ownership/committer.ts": [
    {
      line: "if (!finished && committing === null) schedule.at(atMs);",
      change: "!finished && committing === null -> committing === null",
      why: "What is planned after the end is caught where the commit begins.",
    },
    {
      line: "if (finished || lease === null) return;",
      change: "finished || lease === null -> lease === null",
      why: "After the end nothing is planned, and what was planned is cancelled.",
    },
    {
      line: "if (untilMs <= suspendedUntilMs) return;",
      change: "if (untilMs <= suspendedUntilMs) -> if (false)",
      why: "The end never comes earlier than the one before it; at the same moment the second timer finds nothing left to do.",
    },
    {
      line: "if (untilMs <= suspendedUntilMs) return;",
      change: "untilMs <= suspendedUntilMs -> untilMs < suspendedUntilMs",
      why: "Twice at the same moment: the second timer finds nothing left to do.",
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
  "src/registrar/ownership/lease.ts": [
    {
      line: "if (lease.renewedAt === null || sentAt.monotonicMs > lease.renewedAt.monotonicMs) lease.renewedAt = sentAt; // 1, INV-LEASE",
      change:
        "sentAt.monotonicMs > lease.renewedAt.monotonicMs -> sentAt.monotonicMs >= lease.renewedAt.monotonicMs",
      why: "Two commits that were sent at the same moment renew it to the same moment.",
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
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: "if (!lost.signal.aborted) await suspects.findDeadLetters(partition); // INV-DURABLE-OUTCOME",
      change: "if (!lost.signal.aborted) -> if (true)",
      why: "Of a partition that is lost nothing is read either way (persist.ts).",
    },
  ],
  "src/registrar/ownership/partition.ts": [
    {
      line: "else if (!doubt.isHonoured && limits.isHonoured) limits = { ...limits, isHonoured: false };",
      change: "!doubt.isHonoured && limits.isHonoured -> !doubt.isHonoured",
      why: "What is not honoured already stays so; the condition only spares a copy.",
    },
    {
      line: "const hasSuspects = parkedThrough(partition.parking) < suspectsBelow;",
      change:
        "parkedThrough(partition.parking) < suspectsBelow -> parkedThrough(partition.parking) <= suspectsBelow",
      why: "Where both are equal, so are the two values that are chosen from.",
    },
    {
      line: "return Math.max(parkedTaintedThrough(partition.parking), hasSuspects ? suspectsBelow : 0);",
      change: "conditional (hasSuspects) -> conditional (true)",
      why: "Without suspects, parkedTaintedThrough is not below suspectsBelow, and the greater one is taken.",
    },
  ],
  "src/registrar/ownership/schedule.ts": [
    {
      line: "if (planned !== null && planned.atMs <= atMs) return;",
      change: "planned.atMs <= atMs -> planned.atMs < atMs",
      why: "Planned once more for the same moment.",
    },
  ],
  "src/registrar/ownership/suspects.ts": [
    {
      line: 'if (result.logEnd === undefined || settings.sabotage?.has("end-in-take-over")) return result;',
      change:
        'result.logEnd === undefined || settings.sabotage?.has("end-in-take-over") -> result.logEnd === undefined',
      why: "The switch turns a defence off, for the simulation only.",
    },
    {
      line: 'if (doubts.size === 0 || settings.sabotage?.has("dead-letters-unread")) return true;',
      change: 'doubts.size === 0 || settings.sabotage?.has("dead-letters-unread") -> doubts.size === 0',
      why: "The switch turns a defence off, for the simulation only.",
    },
  ],
};
