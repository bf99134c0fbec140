/** One take-over alone: what is asked in which order, what stops it, and what the partition that comes of it knows. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import type { InputTopic } from "../../../src/ports.ts";
import { isProblem, type Problem } from "../../../src/problem.ts";
import { createLedger } from "../../../src/registrar/ledger/ledger.ts";
import type { KnownLog, Limits } from "../../../src/registrar/ownership/commit-metadata.ts";
import type { Gained, gain } from "../../../src/registrar/ownership/gain.ts";
import { trackOf } from "../../../src/registrar/ownership/partition.ts";
import { at, attemptAhead, take } from "./gain-alone.ts";

const { settleMs, orphanMs } = settings;
const problem: Problem = { code: "ledger-lost", message: "it is another one", fix: "restore it" };

function assertGained(gained: Awaited<ReturnType<typeof gain>>): Gained {
  assert.ok(gained !== null && !isProblem(gained) && "partition" in gained, JSON.stringify(gained));
  return gained;
}

describe("a take-over", () => {
  // INV-CLAIM, INV-LEDGER-READ
  test("reads the ledger, commits its claim, then finds the suspects; the partition knows what the log is now", async () => {
    const { gained, steps, commits, topics, opening } = await take();
    const { partition, suspects, passed } = assertGained(gained);
    assert.deepEqual(steps, ["ledger", "commit", "suspects"]);
    assert.deepEqual(opening, { partition: 1, topic: topics.registered, known: [null, null] });
    assert.deepEqual(
      commits.map(({ topic, partition: number, offset }) => [topic, number, offset]),
      [
        ["enrolled", 1, 4],
        ["retry", 1, 3],
      ],
    );
    assert.deepEqual([suspects, passed, partition.takenOverAtMs], [0, [], 500]);
    const topicIds = { enrolled: "id-enrolled", retry: "id-retry", registered: "id-registered" };
    assert.deepEqual(partition.topicIds, topicIds);
    assert.equal(partition.deadLetters.end, 6);
    assert.match(partition.claim, /^[0-9a-f-]{36}$/);
  });

  test("gives the partition its positions, and the watermarks that were acknowledged", async () => {
    const { gained } = await take({ enrolled: at(4, 30), retry: at(3, 3) });
    const { partition } = assertGained(gained);
    const track = (topic: InputTopic) => {
      const { nextOffset, attemptedThrough } = trackOf(partition, topic);
      return [nextOffset, attemptedThrough];
    };
    assert.deepEqual(
      [track("enrolled"), track("retry")],
      [
        [4, 30],
        [3, 3 + attemptAhead],
      ],
    );
  });

  test("hands what both stored commits know of the log to the reading of the ledger", async () => {
    const known = (ledgerEnd: number): KnownLog => ({
      ...{ topicId: null, ledgerId: "g", ledgerEnd, ledgerSize: 1, leaderEpoch: -1 },
      ...{ readThrough: 0, readThroughEpoch: -1, deadLettersFrom: null },
    });
    const { opening } = await take({
      enrolled: { ...at(4), known: known(5) },
      retry: { ...at(3), known: known(6) },
    });
    assert.deepEqual(opening?.known, [known(5), known(6)]);
    assert.deepEqual((await take({ enrolled: null, retry: { ...at(3), known: known(6) } })).opening?.known, [
      null,
      known(6),
    ]);
  });
});

// INV-DOUBT
describe("suspect is", () => {
  const read = Object.assign(createLedger(), { nextOffset: 1 });
  for (const [what, given, suspects] of [
    [
      "what stands between what is settled and what was promised, of both inputs",
      { enrolled: at(4, 6), retry: at(3, 8) },
      7,
    ],
    ["nothing where no worker ever was at work", { enrolled: null, retry: null }, 0],
    [
      "all where commits expired: the ledger holds something",
      { enrolled: null, retry: null, ledger: read },
      14,
    ],
    ["all of an input whose commit alone is gone", { enrolled: null, retry: at(3) }, 7],
    ["all of the other input, likewise", { enrolled: at(4), retry: null }, 7],
    [
      "all of an input that is not the one that was read, and no more of the other",
      { enrolled: at(4, 6), lost: "retry" },
      9,
    ],
  ] as const)
    test(what, async () => {
      const { gained } = await take(given);
      assert.equal(assertGained(gained).suspects, suspects);
    });

  test("an input that is lost from its start on; a dead-letter topic that is not there ends at 0", async () => {
    const { partition } = assertGained((await take({ enrolled: at(4, 6), lost: "enrolled" })).gained);
    assert.equal(partition.window.nextOffset, 2);
    assert.deepEqual(partition.suspectsBelow, { enrolled: 9, retry: 3 });
    assert.equal(partition.deadLetters.end, 0);
  });
});

// INV-DOUBT
test("the limits inherited are by each the longer of both commits'; where one says none, this worker's stand for it", async () => {
  const long: Limits = { settleMs: 2 * settleMs, orphanMs: 1, isHonoured: true };
  const other: Limits = { settleMs: 1, orphanMs: 2 * orphanMs, isHonoured: true };
  const of = async (enrolled: Limits | undefined, retry: Limits | undefined) => {
    const stored = (limits: Limits | undefined) => ({ ...at(4), ...(limits && { limits }) });
    const { gained } = await take({ enrolled: stored(enrolled), retry: stored(retry) });
    return assertGained(gained).partition.inherited;
  };
  assert.deepEqual(await of(long, other), {
    settleMs: 2 * settleMs,
    orphanMs: 2 * orphanMs,
    isHonoured: true,
  });
  assert.deepEqual(await of(long, undefined), { settleMs: 2 * settleMs, orphanMs, isHonoured: false });
  assert.deepEqual(await of(undefined, other), { settleMs, orphanMs: 2 * orphanMs, isHonoured: false });
});

describe("a take-over ends", () => {
  test("where the ledger is not the one that was known, or the session ended before it was read", async () => {
    for (const ledger of [problem, null]) {
      const { gained, steps } = await take({ ledger });
      assert.deepEqual([gained, steps], [ledger, ["ledger"]]);
    }
  });

  // INV-KNOWN-LOG
  test("where records are gone from either input, before anything is claimed, unless the operator chose to continue", async () => {
    for (const topic of ["enrolled", "retry"] as const) {
      const given = { [topic]: at(1) };
      const { gained, steps } = await take(given);
      assert.ok(gained !== null && isProblem(gained));
      assert.match(gained.message, new RegExp(`^${topic} partition 1: records 1 to 1 were deleted`));
      assert.deepEqual(steps, ["ledger"]);
      const { passed } = assertGained((await take({ ...given, onRetentionGap: "continue" })).gained);
      const gap = { why: "deleted", expected: 1, logStart: 2, logEnd: 9 };
      assert.deepEqual(passed, [{ topic, gap }]);
    }
  });

  test("when the session ends, during its claim or while the suspects are read", async () => {
    const during = await take({ ends: true });
    assert.deepEqual([during.gained, during.steps], [null, ["ledger", "commit"]]);
    assert.equal((await take({ found: "ended" })).gained, null);
  });

  test("where an input lost its end meanwhile: with a fault, or to be begun again if the operator chose to continue", async () => {
    const gap = { why: "truncated", expected: 9, logStart: 0, logEnd: 5 } as const;
    const found = { topic: "retry", gap } as const;
    const { gained } = await take({ found });
    assert.ok(gained !== null && isProblem(gained));
    assert.match(gained.message, /^retry partition 1: the position 9 is beyond the log's end 5/);
    assert.deepEqual((await take({ found, onRetentionGap: "continue" })).gained, { lost: found });
  });
});
