/** What is read at a take-over to know of which enrollments a create may have been carried out. INV-DOUBT. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, eventRecord, keyOf, parkedBefore } from "../../../lab/testkit/enrollments.ts";
import { deadLetterRecord } from "../../../src/domain/dead-letter.ts";
import type { ScanResult } from "../../../src/ports.ts";
import { epochBefore } from "../../../src/registrar/intake/leader-epochs.ts";
import { firstParked, parkedCount } from "../../../src/registrar/intake/parking.ts";
import { remember } from "../../../src/registrar/ledger/ledger.ts";
import { isDeadLettered, lookFrom } from "../../../src/registrar/ownership/dead-letters.ts";
import { planFrom } from "../fresh-partition.ts";
import { suspectsAlone as given, inherited, takenOverAtMs } from "./suspects-alone.ts";

const machine = (n: number) => ({ machine: `HOST-${n}` });
const notUtf8 = { key: null, value: new TextEncoder().encode("no enrollment") };

const enrolledAt = (...numbers: readonly number[]) => numbers.map((n) => eventRecord(machine(n), 0));
const parkedAt = (n: number, inDoubt = false) => parkedBefore(machine(n), { inDoubt });
const keysOf = (...numbers: readonly number[]) => numbers.map((n) => keyOf(machine(n)));

describe("of the enrolled topic", () => {
  test("what stands below the watermark, is an enrollment, and is not registered", async (t) => {
    const { store, partition, find, handed, failed, scanned } = given(t, { enrolled: planFrom(1, 5) });
    store(...enrolledAt(0, 1, 2), { ...eventRecord({}, 0), ...notUtf8 }, ...enrolledAt(4, 5, 6, 7, 8));
    remember(partition.ledger, keyOf(machine(2)), "object-2");
    assert.equal(await find(), "found");
    assert.deepEqual([...partition.doubts.keys()], keysOf(1, 4));
    const batches = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    assert.deepEqual([handed, failed], [batches, []], "it reads no further than that");
    assert.deepEqual(scanned(), ["retry 0", "enrolled 1"]);
  });

  test("nothing is read where nothing is suspect", async (t) => {
    const { store, find, scanned } = given(t, { enrolled: planFrom(1) });
    store(...enrolledAt(0, 1, 2));
    assert.equal(await find(), "found");
    assert.deepEqual(scanned(), ["retry 0"]);
  });

  test("what is left of it is read where the rest was taken by retention or compaction", async (t) => {
    const { log, store, partition, find } = given(t, { enrolled: planFrom(0, 3) });
    store(...enrolledAt(0, 1, 2));
    log.compact("enrolled", 0, 2);
    assert.equal(await find(), "found");
    assert.deepEqual([...partition.doubts.keys()], keysOf(0, 1));
  });

  test("after a failure it is read on from there, to the last of them", async (t) => {
    const failing: ScanResult[] = [
      { ok: true, nextOffset: 0 },
      { ok: false, reason: "no leader" },
    ];
    const { store, partition, find, handed, scanned } = given(t, { enrolled: planFrom(0, 4), failing });
    store(...enrolledAt(0, 1, 2, 3, 4));
    assert.equal(await find(), "found");
    assert.deepEqual(scanned(), ["retry 0", "enrolled 0", "enrolled 1"]);
    assert.deepEqual(handed, [[0], [1, 2, 3]]);
    assert.deepEqual([...partition.doubts.keys()], keysOf(0, 1, 2, 3));
  });
});

describe("each of them is in doubt as its last owner left it:", () => {
  const nextReadAtMs = takenOverAtMs + inherited.settleMs;
  const orphansUntilMs = nextReadAtMs + inherited.orphanMs;
  for (const [what, changes, isHonoured] of [
    ["ids honoured, absent counts as soon as the living have ended", {}, true],
    ["ids ignored, not before orphans have", { limits: { ...inherited, isHonoured: false } }, false],
    ["the same where this worker sends no ids", { sendId: false }, false],
  ] as const)
    test(what, async (t) => {
      const { store, partition, find } = given(t, { enrolled: planFrom(0, 1), ...changes });
      store(...enrolledAt(0));
      await find();
      const absentAfterMs = isHonoured ? nextReadAtMs : orphansUntilMs;
      assert.deepEqual(
        [...partition.doubts.values()],
        [
          {
            ...{ inherited: true, isHonoured, absentAfterMs, orphansUntilMs, nextReadAtMs },
            ...{ misses: 0, byCreate: false },
          },
        ],
      );
    });
});

describe("of the retry topic", () => {
  test("all is noted as parked; in doubt is what stands below the watermark or says so", async (t) => {
    const retry = { ...planFrom(0, 2), deadLettersFrom: 4 };
    const { log, store, partition, find } = given(t, { retry });
    store(parkedAt(0));
    log.leaderEpoch = 7;
    store(parkedAt(1), parkedAt(2), parkedAt(3, true), { ...parkedAt(4), ...notUtf8 });
    assert.equal(await find(), "found");
    const { parking, doubts, leaderEpochs, deadLetters } = partition;
    assert.deepEqual([parkedCount(parking), firstParked(parking, contoso)], [5, 0]);
    assert.equal(firstParked(parking, ""), 4);
    assert.deepEqual([...doubts.keys()], keysOf(0, 1, 3));
    assert.deepEqual(
      [1, 2, 5].map((offset) => epochBefore(leaderEpochs.retry, offset)),
      [0, 7, 7],
    );
    assert.deepEqual(
      [2, 3, 4].map((committed) => lookFrom(deadLetters, "retry", committed)),
      [4, 4, 9],
      "until the one in doubt is committed, dead letters are looked for from where the last owner said",
    );
  });

  test("no dead letter is looked for on account of a record that is not in doubt", async (t) => {
    const retry = { ...planFrom(0), deadLettersFrom: 4 };
    const { store, partition, find } = given(t, { retry });
    store(parkedAt(0), parkedAt(1));
    await find();
    assert.equal(lookFrom(partition.deadLetters, "retry", 0), 9);
    assert.equal(partition.doubts.size, 0);
  });

  test("after a failure it is read on from there, each record once", async (t) => {
    const { store, partition, find, scanned } = given(t, { failing: [{ ok: false, reason: "no leader" }] });
    store(parkedAt(0), parkedAt(1));
    assert.equal(await find(), "found");
    assert.deepEqual(scanned(), ["retry 0", "retry 1"]);
    assert.equal(parkedCount(partition.parking), 2);
  });
});

// INV-KNOWN-LOG
describe("the take-over finds", () => {
  test("an input that ends before its position, of either topic", async (t) => {
    for (const topic of ["enrolled", "retry"] as const) {
      const { log, find } = given(t, { enrolled: planFrom(3, 5), retry: planFrom(3, 5) });
      log.truncate("enrolled", 0, 9);
      log.truncate("retry", 0, 9);
      log.cutEnd(topic, 0, 2);
      const gap = { why: "truncated", expected: 3, logStart: 0, logEnd: 2 };
      assert.deepEqual(await find(), { topic, gap });
    }
  });

  for (const [what, startAt, epoch, isSame] of [
    ["the record that was read last, under the same leader", 0, 3, true],
    ["another one in its place, though the one before it is of the same leader", 0, 2, false],
    ["another one in its place, where the one that was read was of the first leader", 0, 0, false],
    ["it without looking, where no epoch is known", 0, -1, true],
    ["it without looking, where all of that is settled", 2, 4, true],
  ] as const)
    test(what, async (t) => {
      const retry = { ...planFrom(startAt), readThrough: 2, readThroughEpoch: epoch };
      const { log, store, find } = given(t, { retry });
      for (const [n, leaderEpoch] of [2, 3, 4].entries()) {
        log.leaderEpoch = leaderEpoch;
        store(parkedAt(n));
      }
      const gap = { why: "truncated", expected: 2, logStart: 0, logEnd: 3 };
      assert.deepEqual(await find(), isSame ? "found" : { topic: "retry", gap });
    });

  test("nothing when the session ends first", async (t) => {
    const { ended, find, scanned } = given(t, { enrolled: planFrom(0, 1) });
    ended.abort();
    assert.equal(await find(), "ended");
    assert.deepEqual(scanned(), []);
  });

  test("nothing when it ends while the suspects are read", async (t) => {
    const set = given(t, {
      enrolled: planFrom(0, 2),
      failing: [
        { ok: true, nextOffset: 0 },
        { ok: false, reason: "no leader" },
      ],
    });
    set.store(...enrolledAt(0, 1));
    set.partition.doubts.set = (...entry) => {
      set.ended.abort();
      return Map.prototype.set.apply(set.partition.doubts, entry) as typeof set.partition.doubts;
    };
    assert.equal(await set.find(), "ended");
  });
});

describe("dead letters of the last owner", () => {
  const letter = (n: number) => {
    const at = { topic: "enrolled", partition: 0, offset: n } as const;
    const record = { ...eventRecord(machine(n), 0), ...at, timestampMs: 0, leaderEpoch: 0 };
    const refusal = { code: "graph-422", message: "no", pointers: [] };
    const reason = { refusal, attempts: 1, at, timeMs: 0, requestId: null };
    return { record, dead: deadLetterRecord(0, record, reason) };
  };
  const enrolled = { ...planFrom(0, 4), deadLettersFrom: 1 };

  test("are read from where it said, and not at all where nothing is in doubt", async (t) => {
    const { log, store, partition, findDeadLetters, scanned } = given(t, { enrolled });
    store(letter(0).dead, letter(1).dead, letter(2).dead);
    assert.equal(await findDeadLetters(), true);
    assert.deepEqual(scanned(), []);
    log.scans.length = 0;
    partition.doubts.set("key", {} as never);
    assert.equal(await findDeadLetters(), true);
    assert.deepEqual(scanned(), ["dlq 1"]);
    assert.deepEqual(
      [0, 1, 2, 3].map((n) => isDeadLettered(partition.deadLetters, letter(n).record)),
      [false, true, true, false],
    );
  });

  test("are read until that succeeds; a topic that ends before holds none any more", async (t) => {
    const failing: ScanResult[] = [{ ok: false, reason: "no leader" }];
    const { store, partition, findDeadLetters, scanned } = given(t, { enrolled, failing });
    partition.doubts.set("key", {} as never);
    assert.equal(await findDeadLetters(), true);
    assert.deepEqual(scanned(), ["dlq 1", "dlq 1"]);
    store(letter(0).dead);
    assert.equal(await findDeadLetters(), true);
  });

  test("are not looked for any more once the partition is lost", async (t) => {
    const { partition, findDeadLetters, scanned } = given(t, { enrolled });
    partition.doubts.set("key", {} as never);
    partition.lost.abort();
    assert.equal(await findDeadLetters(), false);
    assert.deepEqual(scanned(), []);
  });
});
