/** When repartition continues, in which order, and what it refuses: as a table. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { InputPosition } from "../../src/ports.ts";
import { encodeMetadata } from "../../src/registrar/ownership/commit-metadata.ts";
import { type Found, plan } from "../../src/repartition/plan.ts";

const counts = (enrolled: number, retry = enrolled, registered = enrolled, dlq = registered) => ({
  enrolled,
  retry,
  registered,
  dlq,
});

function position(
  topic: "enrolled" | "retry",
  partition: number,
  settled: number | null,
  attempted: number,
  end: number,
): InputPosition {
  const metadata = encodeMetadata({ attemptedThrough: attempted, claim: "c", limits: null, known: null });
  const committed = settled === null ? null : { offset: settled, metadata };
  return { topic, partition, committed, logStart: 0, logEnd: end };
}

const drained = [position("enrolled", 0, 7, 7, 7), position("retry", 0, 3, 3, 3)];

function planned(changes: Partial<Found>, target: number) {
  return plan(
    { counts: counts(6), members: 0, positions: drained, ledgerEnds: [9, 9, 9, 9, 9, 9], ...changes },
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
    const positions = [position("enrolled", 0, null, 0, 0), position("retry", 0, null, 0, 0)];
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
    const { code, fix, usage } = refusal({ members: 2, positions: [position("enrolled", 0, 1, 5, 9)] }, 9);
    assert.deepEqual([code, usage], ["workers-run", false]);
    assert.match(fix, /^Stop every worker/);
  });

  for (const [name, open] of [
    ["a record that was never attempted", position("enrolled", 0, 6, 6, 7)],
    ["a record in doubt", position("enrolled", 0, 6, 7, 7)],
    ["a parked record", position("retry", 0, 2, 2, 3)],
    ["a record without any commit", position("enrolled", 0, null, 0, 1)],
  ] as const) {
    test(`${name}: workers have to settle it first, since they can`, () => {
      const { code, fix } = refusal({ positions: [...drained, open] }, 9);
      assert.equal(code, "not-drained");
      assert.match(fix, /start the workers, wait for lag 0, stop the workers with SIGTERM/);
    });
  }

  test("a promise beyond the log's end leaves nothing in doubt", () => {
    assert.equal(planned({ positions: [position("enrolled", 0, 7, 1007, 7)] }, 9).kind, "go");
  });

  test("enrolled and retry that were raised by hand: one more, so that workers stay out until the end", () => {
    const { code, fix } = refusal({ counts: counts(9, 9, 6, 9) }, 9);
    assert.equal(code, "partitions-unguarded");
    assert.match(fix, /--partitions 10 /);
    assert.equal(planned({ counts: counts(9, 9, 6, 9) }, 10).kind, "go");
  });

  test("only enrolled was raised: retry comes last", () => {
    assert.deepEqual(planned({ counts: counts(9, 6, 6) }, 9), {
      kind: "go",
      raises: ["retry", "dlq"],
      carried: [],
    });
  });

  test("a run that was cut short continues where workers can't start, and fresh records wait for them", () => {
    const positions = [...drained, position("enrolled", 1, 4, 4, 9)];
    assert.deepEqual(planned({ counts: counts(6, 6, 9), positions }, 9), {
      kind: "go",
      raises: ["retry", "enrolled"],
      carried: [],
    });
  });

  const half = counts(6, 6, 9);
  for (const [name, open, attempted] of [
    ["in doubt", position("enrolled", 0, 4, 6, 9), 6],
    ["promised beyond the end", position("enrolled", 0, 4, 100, 9), 9],
    [
      "under an operator's commit",
      { ...position("enrolled", 0, 4, 4, 9), committed: { offset: 4, metadata: "" } },
      9,
    ],
    ["whose commit expired", position("enrolled", 0, null, 0, 9), 9],
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
    const made = planned({ counts: half, positions: [position("retry", 0, 2, 2, 3)] }, 9);
    assert.ok(made.kind === "go");
    assert.deepEqual(
      made.carried.map(({ topic, settled, end }) => [topic, settled, end]),
      [["retry", 2, 3]],
    );
  });

  test("without a commit, in a partition that no worker can have had, or with a ledger that never held anything: fresh", () => {
    const open = (partition: number) => [position("enrolled", partition, null, 0, 9)];
    for (const changes of [
      { counts: counts(9, 6, 6), positions: open(7) },
      { counts: counts(9, 6, 6), positions: open(0), ledgerEnds: [0, 9] },
    ]) {
      const made = planned(changes, 9);
      assert.deepEqual(made.kind === "go" && made.carried, []);
    }
  });

  test("what has to go to retry needs a later step that lets workers start", () => {
    const positions = [position("enrolled", 0, 4, 6, 9)];
    const { code, fix } = refusal({ counts: counts(9, 6, 6, 9), positions }, 9);
    assert.equal(code, "partitions-in-doubt");
    assert.match(fix, /--partitions 10 /);
    assert.equal(planned({ counts: counts(9, 6, 6, 9), positions }, 10).kind, "go");
  });
});
