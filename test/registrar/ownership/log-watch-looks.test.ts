/** One look at the log: what it takes for another log, and which parked copies it says are beyond the end. INV-KNOWN-LOG. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { Bounds, EventLog, Session, Topic, TopicSurvey } from "../../../src/ports.ts";
import type { Awaited } from "../../../src/registrar/intake/parking.ts";
import { createLedger } from "../../../src/registrar/ledger/ledger.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { createLogWatch } from "../../../src/registrar/ownership/log-watch.ts";
import { freshPartition, planFrom } from "../fresh-partition.ts";

interface Given {
  readonly topics?: Partial<Record<Topic, Partial<TopicSurvey>>>;
  /** Ids that were known at the take-over. */
  readonly known?: Partial<Record<"enrolled" | "retry" | "registered", string | null>>;
  readonly awaited?: readonly (number | null)[];
}

/** Owns partition 1 of two, read up to 3 in both inputs, with a ledger that was read up to 5; looks once. */
async function looked({ topics = {}, known = {}, awaited = [] }: Given) {
  const time = virtualTime();
  const both: Bounds[] = [
    { start: 0, end: 0 },
    { start: 0, end: 9 },
  ];
  const of = (topic: Topic) => ({ id: `id-${topic}`, bounds: both, ...topics[topic] });
  const log = {
    partitionCount: 2,
    survey: async () => ({
      ok: true,
      topics: {
        enrolled: of("enrolled"),
        retry: of("retry"),
        registered: of("registered"),
        dlq: of("dlq"),
      },
    }),
  } as unknown as EventLog;
  const ids = { enrolled: "id-enrolled", retry: "id-retry", registered: "id-registered" };
  const partition = freshPartition({
    number: 1,
    lease: createLease({ ended: new AbortController().signal } as Session),
    topicIds: { ...ids, ...known },
    plans: { enrolled: planFrom(3), retry: planFrom(3) },
    ledger: Object.assign(createLedger("id-registered"), { nextOffset: 5 }),
  });
  const copies = awaited.map(
    (retryOffset, n): Awaited => ({
      ...{ enrolledOffset: n, retryOffset },
      ...{ arrive: () => {}, sendAgain: () => {} },
    }),
  );
  for (const copy of copies) partition.parking.awaited.add(copy);
  const faults: string[] = [];
  const checked: (number | null)[][] = [];
  const watch = createLogWatch(
    {
      ...{ clock: time, log, owned: new Map([[1, partition]]) },
      checkParked(of, beyondEnd) {
        assert.equal(of, partition);
        checked.push(beyondEnd.map(({ retryOffset }) => retryOffset));
      },
    },
    ({ code, message }) => faults.push(`${code}: ${message}`),
  );
  await time.pass(15_000);
  watch.stop();
  return { faults, checked };
}

describe("the log is another one", () => {
  for (const topic of ["enrolled", "retry"] as const)
    test(`when the id of the ${topic} topic is not the one that was taken over; it says up to where that was read`, async () => {
      const { faults, checked } = await looked({ topics: { [topic]: { id: "another" } } });
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, new RegExp(`^retention-gap: ${topic} partition 1: .*read up to 3: .*again`));
      assert.deepEqual(checked, []);
    });

  test("not when an id is not known, now or at the take-over", async () => {
    const now = { topics: { enrolled: { id: null }, retry: { id: null }, registered: { id: null } } };
    assert.deepEqual((await looked(now)).faults, []);
    const then = { known: { enrolled: null, retry: null, registered: null } };
    assert.deepEqual((await looked(then)).faults, []);
  });

  test("when a ledger ends before it did", async () => {
    const at = (end: number) => [
      { start: 0, end: 9 },
      { start: 0, end },
    ];
    const { faults } = await looked({ topics: { registered: { bounds: at(4) } } });
    assert.match(faults[0] ?? "", /^ledger-lost: .* partition 1 .*ends at 4, and was read to 5/);
    assert.deepEqual((await looked({ topics: { registered: { bounds: at(5) } } })).faults, []);
  });

  for (const [count, isFault] of [
    [0, false],
    [1, true],
    [2, false],
    [3, true],
  ] as const)
    test(`${isFault ? "when" : "not when"} an input has ${count} partitions instead of two`, async () => {
      const bounds = Array.from({ length: count }, () => ({ start: 0, end: 9 }));
      const { faults } = await looked({ topics: { enrolled: { bounds } } });
      if (!isFault) assert.deepEqual(faults, []);
      else assert.match(faults[0] ?? "", new RegExp(`^topic-partitions: .*has ${count} part.* had 2`));
    });
});

describe("copies of parked records are said to be beyond the end", () => {
  test("where they were acknowledged at it or behind it; all others only wait", async () => {
    const { faults, checked } = await looked({ awaited: [null, 3, 8, 9, 10] });
    assert.deepEqual([faults, checked], [[], [[9, 10]]]);
  });

  test("all of them, where the retry topic is not there", async () => {
    const { faults, checked } = await looked({ topics: { retry: { bounds: [] } }, awaited: [null, 0, 8] });
    assert.deepEqual([faults, checked], [[], [[0, 8]]]);
  });
});
