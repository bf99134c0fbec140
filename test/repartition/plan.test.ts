/** When repartition continues, in which order, and what it refuses: as a table. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { InputPosition, InputTopic } from "../../src/ports.ts";
import { encodeMetadata } from "../../src/registrar/ownership/commit-metadata.ts";
import { type Found, plan } from "../../src/repartition/plan.ts";

const six = { enrolled: 6, retry: 6, registered: 6, dlq: 6 };
/** A run that was cut short: workers can't start on these. */
const half = { ...six, registered: 9, dlq: 9 };

interface Offsets {
  readonly partition?: number;
  /** Null: without any commit. */
  readonly settled: number | null;
  /** Creates are promised below it; `settled` unless it is given. */
  readonly attempted?: number;
  readonly end: number;
}

function position(
  topic: InputTopic,
  { partition = 0, settled, attempted = settled ?? 0, end }: Offsets,
): InputPosition {
  const metadata = encodeMetadata({ attemptedThrough: attempted, claim: "c", limits: null, known: null });
  const committed = settled === null ? null : { offset: settled, metadata };
  return { topic, partition, committed, logStart: 0, logEnd: end };
}

const drained = [position("enrolled", { settled: 7, end: 7 }), position("retry", { settled: 3, end: 3 })];

function planned(changes: Partial<Found>, target: number) {
  return plan(
    { counts: six, members: 0, positions: drained, ledgerEnds: [9, 9, 9, 9, 9, 9], ...changes },
    target,
  );
}

function refusal(changes: Partial<Found>, target: number) {
  const made = planned(changes, target);
  assert.equal(made.kind, "refused");
  return (made as Extract<typeof made, { kind: "refused" }>).problem;
}

suite("the plan of a repartition", () => {
  test("a drained set of topics is accepted, and enrolled and the dead letters come last", () => {
    assert.deepEqual(planned({}, 9), { kind: "go", raises: ["retry", "enrolled", "dlq"], carried: [] });
  });

  test("a set that was never used is accepted", () => {
    const positions = [
      position("enrolled", { settled: null, end: 0 }),
      position("retry", { settled: null, end: 0 }),
    ];
    assert.equal(planned({ positions, ledgerEnds: [] }, 9).kind, "go");
  });

  test("the number that is there is reached", () => {
    assert.equal(planned({}, 6).kind, "reached");
  });

  test("fewer are refused with the reason, and the least number to type", () => {
    const { code, message, fix, usage } = refusal({}, 5);
    assert.deepEqual([code, usage], ["partitions-fewer", true]);
    assert.match(message, /can't take partitions away/);
    assert.match(fix, /--partitions 6 or more/);
  });

  test("a worker in the group is refused, whatever else there is to say", () => {
    const { code, fix, usage } = refusal(
      { members: 2, positions: [position("enrolled", { settled: 1, attempted: 5, end: 9 })] },
      9,
    );
    assert.deepEqual([code, usage], ["workers-run", false]);
    assert.match(fix, /^Stop every worker/);
  });

  for (const [name, open] of [
    ["a record that was never attempted", position("enrolled", { settled: 6, end: 7 })],
    ["a record in doubt", position("enrolled", { settled: 6, attempted: 7, end: 7 })],
    ["a parked record", position("retry", { settled: 2, end: 3 })],
    ["a record without any commit", position("enrolled", { settled: null, end: 1 })],
  ] as const) {
    test(`${name}: workers have to settle it first, since they can`, () => {
      const { code, fix } = refusal({ positions: [...drained, open] }, 9);
      assert.equal(code, "not-drained");
      assert.match(fix, /start the workers, wait for lag 0, stop the workers with SIGTERM/);
    });
  }

  test("a promise beyond the log's end leaves nothing in doubt", () => {
    assert.equal(
      planned({ positions: [position("enrolled", { settled: 7, attempted: 1007, end: 7 })] }, 9).kind,
      "go",
    );
  });

  test("enrolled and retry that were raised by hand: one more, so that workers stay out until the end", () => {
    const { code, fix } = refusal({ counts: { ...six, enrolled: 9, retry: 9, dlq: 9 } }, 9);
    assert.equal(code, "partitions-unguarded");
    assert.match(fix, /--partitions 10 /);
    assert.equal(planned({ counts: { ...six, enrolled: 9, retry: 9, dlq: 9 } }, 10).kind, "go");
  });

  test("only enrolled was raised: retry comes last", () => {
    assert.deepEqual(planned({ counts: { ...six, enrolled: 9 } }, 9), {
      kind: "go",
      raises: ["retry", "dlq"],
      carried: [],
    });
  });

  test("a run that was cut short continues where workers can't start, and fresh records wait for them", () => {
    const positions = [...drained, position("enrolled", { partition: 1, settled: 4, end: 9 })];
    assert.deepEqual(planned({ counts: half, positions }, 9), {
      kind: "go",
      raises: ["retry", "enrolled"],
      carried: [],
    });
  });

  for (const [name, open, attempted] of [
    ["in doubt", position("enrolled", { settled: 4, attempted: 6, end: 9 }), 6],
    ["promised beyond the end", position("enrolled", { settled: 4, attempted: 100, end: 9 }), 9],
    [
      "under an operator's commit",
      { ...position("enrolled", { settled: 4, end: 9 }), committed: { offset: 4, metadata: "" } },
      9,
    ],
    ["whose commit expired", position("enrolled", { settled: null, end: 9 }), 9],
  ] as const) {
    test(`where workers can't start, what is ${name} is carried over`, () => {
      const made = planned({ counts: half, positions: [open] }, 9);
      const settled = open.committed?.offset ?? 0;
      assert.ok(made.kind === "go");
      const [{ former, ...carried }] = made.carried as [(typeof made.carried)[number]];
      assert.deepEqual(carried, { topic: "enrolled", partition: 0, settled, attempted, end: 9 });
      assert.equal(former?.claim ?? "", open.committed?.metadata ? "c" : "");
    });
  }

  test("all that is parked is carried over, in doubt or not", () => {
    const made = planned({ counts: half, positions: [position("retry", { settled: 2, end: 3 })] }, 9);
    assert.ok(made.kind === "go");
    assert.deepEqual(
      made.carried.map(({ topic, settled, end }) => [topic, settled, end]),
      [["retry", 2, 3]],
    );
  });

  test("without a commit, in a partition that no worker can have had, or with a ledger that never held anything: fresh", () => {
    const open = (partition: number) => [position("enrolled", { partition, settled: null, end: 9 })];
    for (const changes of [
      { counts: { ...six, enrolled: 9 }, positions: open(7) },
      { counts: { ...six, enrolled: 9 }, positions: open(0), ledgerEnds: [0, 9] },
    ]) {
      const made = planned(changes, 9);
      assert.deepEqual(made.kind === "go" && made.carried, []);
    }
  });

  test("what has to go to retry needs a later step that lets workers start", () => {
    const positions = [position("enrolled", { settled: 4, attempted: 6, end: 9 })];
    const { code, fix } = refusal({ counts: { ...six, enrolled: 9, dlq: 9 }, positions }, 9);
    assert.equal(code, "partitions-in-doubt");
    assert.match(fix, /--partitions 10 /);
    assert.equal(planned({ counts: { ...six, enrolled: 9, dlq: 9 }, positions }, 10).kind, "go");
  });
});
