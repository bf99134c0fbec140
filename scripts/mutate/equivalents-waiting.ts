/** Those of the parts in which records wait, for a turn, for room or for a read, by file: see equivalents.ts. */
import type { Equivalent } from "./trial.ts";

const memoryOnly = "When entries that were taken are let go changes memory and time, nothing else.";

const byFile: Readonly<Record<string, readonly Omit<Equivalent, "file">[]>> = {
  "parker.ts": [
    {
      line: "const lane = isSlowNow || hasFailed(stage) ? (partition.lanes.get(name) ?? []) : [];",
      change: "conditional (isSlowNow || hasFailed(stage)) -> conditional (true)",
      why: "A lane whose head has failed is found by that head, which came before the others of it.",
    },
  ],
  "reader.ts": [
    {
      line: "if (again === undefined || !isCurrent(again, under)) return false;",
      change: "false -> true",
      why: "The loop ends with its next look: the partition is not owned, or must not be read.",
    },
  ],
  "transition.ts": [
    {
      line: "const life = stage.doubt === doubt ? stage : withDoubt(stage, doubt);",
      change: "conditional (stage.doubt === doubt) -> conditional (false)",
      why: "It only spares a copy: the two are equal.",
    },
  ],
  "troubled-places.ts": [
    {
      line: "if (isTrying || places.size === 0 || clock.nowMs() < notBeforeMs) return;",
      change: "isTrying || places.size === 0 -> isTrying",
      why: "Without a place there is nothing to try.",
    },
  ],
  "turns.ts": [
    {
      line: "isRegistered: isKnown ?? isRegistered(partition.ledger, idempotencyKey),",
      change:
        "isKnown ?? isRegistered(partition.ledger, idempotencyKey) -> isRegistered(partition.ledger, idempotencyKey)",
      why: "What is known was looked up there in the same turn: it only spares to look twice.",
    },
  ],
  "waiting-queues.ts": [
    {
      line: "if (head >= spentMax || head === waiting.length) {",
      change: "head >= spentMax -> head > spentMax",
      why: memoryOnly,
    },
    {
      line: "if (head >= spentMax || head === waiting.length) {",
      change: "if (head >= spentMax || head === waiting.length) -> if (true)",
      why: memoryOnly,
    },
    {
      line: "if (head >= spentMax || head === waiting.length) {",
      change: "head === waiting.length -> head !== waiting.length",
      why: memoryOnly,
    },
  ],
};

export const ofWaiting: readonly Equivalent[] = Object.entries(byFile).flatMap(([file, entries]) =>
  entries.map((entry) => ({ file: `src/registrar/flow/${file}`, ...entry })),
);
