import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InputPosition } from "../../../src/ports.ts";
import { isProblem } from "../../../src/problem.ts";
import { decodeMetadata, encodeMetadata } from "../../../src/registrar/ownership/commit-metadata.ts";
import { gapFault, planTakeOver } from "../../../src/registrar/ownership/take-over.ts";

function position(
  committed: [offset: number, metadata: string] | null,
  logStart: number,
  logEnd: number,
): InputPosition {
  const stored = committed === null ? null : { offset: committed[0], metadata: committed[1] };
  return { topic: "enrolled", partition: 3, committed: stored, logStart, logEnd };
}
const promise = (attemptedThrough: number) =>
  encodeMetadata({ attemptedThrough, claim: "c", limits: null, known: null });

const table: [
  name: string,
  at: InputPosition,
  isUntouched: boolean,
  startAt: number,
  suspectsBelow: number,
][] = [
  ["no commit, empty ledger: all is fresh", position(null, 0, 9), true, 0, 0],
  ["no commit, but a ledger: all that is there is suspect", position(null, 2, 9), false, 2, 9],
  ["between settled and attempted: suspect", position([4, promise(7)], 0, 9), false, 4, 7],
  ["a promise beyond the log's end: suspect up to the end", position([4, promise(1000)], 0, 9), false, 4, 9],
  ["a clean shutdown: no suspects", position([4, promise(4)], 0, 9), false, 4, 4],
  ["an operator's offset reset: all from there is suspect", position([4, ""], 0, 9), false, 4, 9],
  ["all settled", position([9, promise(500)], 0, 9), false, 9, 9],
];
for (const [name, at, isUntouched, startAt, suspectsBelow] of table) {
  test(name, () => {
    const plan = planTakeOver(at, { topicId: "id", isUntouched, onRetentionGap: "stop" });
    assert.ok(!isProblem(plan));
    assert.deepEqual([plan.startAt, plan.suspectsBelow], [startAt, suspectsBelow]);
    assert.ok(plan.attemptedThrough >= plan.suspectsBelow);
  });
}

for (const [name, at] of [
  ["retention took unsettled records", position([4, promise(7)], 6, 9)],
  ["the topic was deleted and made again", position([40, promise(70)], 0, 9)],
] as const) {
  // INV-KNOWN-LOG
  test(`${name}: a fault that names the place, or everything left is suspect if it may continue`, () => {
    const fault = planTakeOver(at, { topicId: "id", isUntouched: false, onRetentionGap: "stop" });
    assert.ok(isProblem(fault));
    assert.match(fault.message, /enrolled partition 3/);
    assert.match(fault.fix, /ON_RETENTION_GAP=continue/);
    const plan = planTakeOver(at, { topicId: "id", isUntouched: false, onRetentionGap: "continue" });
    assert.ok(!isProblem(plan));
    assert.deepEqual([plan.startAt, plan.suspectsBelow], [at.logStart, at.logEnd]);
  });
}

test("what the stored commit says of the writer and of the log goes with the plan", () => {
  const limits = { settleMs: 20_000, orphanMs: 120_000, isHonoured: true };
  const known = {
    topicId: "id",
    ledgerId: "g",
    ledgerEnd: 9,
    ledgerSize: 4,
    leaderEpoch: 3,
    readThrough: 8,
    readThroughEpoch: 2,
    deadLettersFrom: 6,
  };
  const metadata = encodeMetadata({ attemptedThrough: 7, claim: "c", limits, known });
  const plan = planTakeOver(position([4, metadata], 0, 9), {
    topicId: "id",
    isUntouched: false,
    onRetentionGap: "stop",
  });
  assert.ok(!isProblem(plan));
  const { leaderEpoch, attemptedThrough, deadLettersFrom } = plan;
  assert.deepEqual([plan.limits, leaderEpoch, attemptedThrough, deadLettersFrom], [limits, 3, 7, 6]);
  assert.deepEqual([plan.readThrough, plan.readThroughEpoch], [8, 2]);
  const afterGap = planTakeOver(position([4, metadata], 6, 9), {
    topicId: "id",
    isUntouched: false,
    onRetentionGap: "continue",
  });
  assert.ok(!isProblem(afterGap));
  assert.deepEqual([afterGap.limits, afterGap.leaderEpoch, afterGap.deadLettersFrom], [limits, -1, null]);
});

test("a promise below the committed offset promises that offset all the same", () => {
  const plan = planTakeOver(position([6, promise(4)], 0, 9), {
    topicId: "id",
    isUntouched: false,
    onRetentionGap: "stop",
  });
  assert.ok(!isProblem(plan));
  assert.deepEqual([plan.startAt, plan.suspectsBelow, plan.attemptedThrough], [6, 6, 6]);
});

// INV-KNOWN-LOG
describe("the log is the one that was known", () => {
  const knownAs = (topicId: string | null) =>
    encodeMetadata({
      attemptedThrough: 4,
      claim: "c",
      limits: null,
      known: {
        topicId,
        ledgerId: null,
        ledgerEnd: 0,
        ledgerSize: 0,
        leaderEpoch: -1,
        readThrough: 0,
        readThroughEpoch: -1,
        deadLettersFrom: null,
      },
    });
  const table: [what: string, at: InputPosition, topicId: string | null, message: RegExp | null][] = [
    ["when it starts at the position", position([4, promise(4)], 4, 9), "id", null],
    ["when it ends at the position", position([9, promise(9)], 0, 9), "id", null],
    ["when only one of the two has an id", position([4, knownAs("id")], 0, 9), null, null],
    ["when the commit knew no id", position([4, knownAs(null)], 0, 9), "id", null],
    ["not when it starts after it", position([4, promise(4)], 5, 9), "id", /records 4 to 4 were deleted/],
    ["not when it ends before it", position([9, promise(9)], 0, 8), "id", /9 is beyond the log's end 8/],
    [
      "not when its id is another",
      position([4, knownAs("id")], 0, 9),
      "other",
      /up to 4: it was deleted and created again/,
    ],
  ];
  for (const [what, at, topicId, message] of table)
    test(what, () => {
      const plan = planTakeOver(at, { topicId, isUntouched: false, onRetentionGap: "stop" });
      assert.equal(isProblem(plan), message !== null);
      if (isProblem(plan)) assert.match(plan.message, message!);
    });

  test("a record before the position that is gone is said to be lost with its leader", () => {
    const gap = { why: "truncated", expected: 9, logStart: 0, logEnd: 9 } as const;
    assert.match(gapFault("retry", 2, gap).message, /^retry partition 2: .*before position 9: it was lost/);
  });
});

test("commit metadata comes back as it went, and anything else is nothing", () => {
  const limits = { settleMs: 20_000, orphanMs: 120_000, isHonoured: true };
  const known = {
    topicId: "t",
    ledgerId: "g",
    ledgerEnd: 9,
    ledgerSize: 4,
    leaderEpoch: 3,
    readThrough: 0,
    readThroughEpoch: 5,
    deadLettersFrom: 0,
  };
  for (const metadata of [
    { attemptedThrough: 12, claim: "x", limits, known },
    { attemptedThrough: 12, claim: "x", limits, known: { ...known, deadLettersFrom: null } },
    { attemptedThrough: 12, claim: "x", limits: null, known: null },
  ])
    assert.deepEqual(decodeMetadata(encodeMetadata(metadata)), metadata);
  for (const text of [
    "",
    "null",
    "[]",
    "{}",
    '{"v":2,"a":1,"c":"x"}',
    '{"v":1,"a":"1","c":"x"}',
    '{"v":1,"a":1.5,"c":"x"}',
    "\u0000",
  ]) {
    assert.equal(decodeMetadata(text), null, text);
  }
});
