/** Where the next owner must look for dead letters that no commit covers, and what counts as one of a record. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deadLetterRecord } from "../../../src/domain/dead-letter.ts";
import type { Header, LogRecord } from "../../../src/ports.ts";
import {
  createDeadLetters,
  isDeadLettered,
  lookFrom,
  noteFound,
  noteOwn,
  noteParkedInDoubt,
  noteSent,
  noteStored,
} from "../../../src/registrar/ownership/dead-letters.ts";
import { planFrom } from "../fresh-partition.ts";

const utf8 = new TextEncoder();
const none = { enrolled: planFrom(0), retry: planFrom(0) };

function recordAt(offset: number, text: string | null, topic: LogRecord["topic"] = "enrolled"): LogRecord {
  const value = text === null ? null : utf8.encode(text);
  return { topic, partition: 0, offset, key: null, value, headers: [], timestampMs: 0, leaderEpoch: -1 };
}

function letterOf(record: LogRecord): LogRecord {
  const refusal = { code: "graph-422", message: "no", pointers: [] };
  const letter = deadLetterRecord(0, record, {
    refusal,
    attempts: 1,
    at: record,
    timeMs: 0,
    requestId: null,
  });
  return { ...letter, offset: 0, timestampMs: 0, leaderEpoch: -1 };
}

describe("the next owner looks", () => {
  test("from the topic's end where nothing is open", () => {
    assert.equal(lookFrom(createDeadLetters(none, 7), "enrolled", 0), 7);
  });

  test("from where the topic ended when the dead letter was sent, until a commit covers its record", () => {
    const letters = createDeadLetters(none, 7);
    noteSent(letters, "enrolled", 3);
    noteStored(letters, 9);
    noteSent(letters, "enrolled", 4);
    noteStored(letters, 10);
    assert.deepEqual(
      [3, 4, 5].map((committed) => lookFrom(letters, "enrolled", committed)),
      [7, 10, 11],
    );
    assert.equal(lookFrom(letters, "retry", 0), 11, "the other input has its own");
  });

  test("from no later than before where the log does not say where it stored the letter", () => {
    const letters = createDeadLetters(none, 7);
    noteStored(letters, null);
    noteStored(letters, 3);
    assert.equal(letters.end, 7);
  });

  test("from where the last owner said, until all that it left in doubt is committed", () => {
    const enrolled = { ...planFrom(2, 6), deadLettersFrom: 4 };
    const letters = createDeadLetters({ enrolled, retry: planFrom(0) }, 7);
    assert.equal(letters.inheritedFrom, 4);
    assert.deepEqual(
      [5, 6].map((committed) => lookFrom(letters, "enrolled", committed)),
      [4, 7],
    );
  });

  test("from the end where the last owner did not say, or said more than there is", () => {
    for (const deadLettersFrom of [null, 12]) {
      const enrolled = { ...planFrom(2, 6), deadLettersFrom };
      assert.equal(createDeadLetters({ enrolled, retry: planFrom(0) }, 7).inheritedFrom, 7);
    }
  });
});

describe("on account of parked records in doubt the next owner looks", () => {
  const retry = { ...planFrom(0), deadLettersFrom: 4 };
  const given = () => createDeadLetters({ enrolled: planFrom(0), retry }, 7);
  const looks = (letters: ReturnType<typeof given>, ...committed: readonly number[]) =>
    committed.map((offset) => lookFrom(letters, "retry", offset));

  test("from where the last owner said, until the last of them is committed, whatever comes first", () => {
    for (const offsets of [
      [2, 5],
      [5, 2],
      [5, 5],
    ]) {
      const letters = given();
      for (const offset of offsets) noteParkedInDoubt(letters, offset);
      assert.deepEqual(looks(letters, 0, 5, 6), [4, 4, 7], JSON.stringify(offsets));
      assert.equal(lookFrom(letters, "enrolled", 0), 7);
    }
  });

  test("also from there for a dead letter that was sent meanwhile, until that is committed too", () => {
    const letters = given();
    noteParkedInDoubt(letters, 2);
    noteStored(letters, 8);
    noteSent(letters, "retry", 3);
    noteStored(letters, 9);
    noteParkedInDoubt(letters, 5);
    assert.deepEqual(looks(letters, 0, 3, 4, 6), [4, 4, 4, 10]);
  });

  test("and however many there are, one entry is kept of them", () => {
    const letters = given();
    for (let offset = 0; offset < 1_000; offset++) noteParkedInDoubt(letters, offset);
    assert.equal(letters.open.retry.length, 1);
    assert.deepEqual(looks(letters, 999, 1_000), [4, 7]);
  });

  test("as early as the earlier of the two inputs' last commits says", () => {
    const early = { ...planFrom(0), deadLettersFrom: 2 };
    assert.equal(createDeadLetters({ enrolled: early, retry }, 7).inheritedFrom, 2);
    assert.equal(createDeadLetters({ enrolled: planFrom(0), retry }, 7).inheritedFrom, 4);
  });
});

// INV-DURABLE-OUTCOME
describe("a record is dead-lettered already", () => {
  const letters = createDeadLetters(none, 0);
  for (const record of [recordAt(3, "A"), recordAt(4, null)]) noteFound(letters, letterOf(record));
  noteFound(letters, recordAt(5, "not a dead letter", "dlq"));

  for (const [what, record, expected] of [
    ["where its place and its bytes are the same", recordAt(3, "A"), true],
    ["also when it has no bytes", recordAt(4, null), true],
    ["not where another record stands in its place: the topic was made again", recordAt(3, "B"), false],
    ["not where the same bytes stand elsewhere: that is another record", recordAt(9, "A"), false],
    ["not by a record that is not a dead letter", recordAt(5, "not a dead letter"), false],
  ] as const)
    test(what, () => assert.equal(isDeadLettered(letters, record), expected));

  const binary = (tenantId: string, more: readonly Header[] = []): LogRecord => ({
    ...recordAt(6, "data"),
    headers: [
      ["Content-Type", utf8.encode("application/json")],
      ["ce_tenantid", utf8.encode(tenantId)],
      ...more,
    ],
  });

  test("not where only the attributes in its headers are another event's", () => {
    const own = createDeadLetters(none, 0);
    noteFound(own, letterOf(binary("contoso")));
    assert.equal(
      isDeadLettered(own, binary("fabrikam")),
      false,
      "the log was truncated, another event stands there",
    );
    assert.equal(isDeadLettered(own, binary("contoso")), true);
    const added = [
      ["origin", utf8.encode("enrolled/0/6")],
      ["traceparent", utf8.encode("00-1")],
    ] as const;
    assert.equal(
      isDeadLettered(own, { ...binary("contoso", added), topic: "retry", offset: 0 }),
      true,
      "what the worker adds to a record that it moves does not count",
    );
  });

  test("where what was moved to the retry topic came from its place", () => {
    const headers = [["origin", utf8.encode("enrolled/0/3")]] as const;
    assert.equal(isDeadLettered(letters, { ...recordAt(0, "A", "retry"), headers }), true);
  });

  test("where a second copy in the retry topic came from the place of one that this worker refused", () => {
    const own = createDeadLetters(none, 0);
    const headers = [["origin", utf8.encode("enrolled/0/3")]] as const;
    noteOwn(own, { ...recordAt(0, "A", "retry"), headers });
    assert.equal(isDeadLettered(own, { ...recordAt(1, "A", "retry"), headers }), true);
    assert.equal(isDeadLettered(own, recordAt(0, "A", "retry")), false);
  });

  test("not one that comes after a hundred thousand: it is looked up in Graph instead", () => {
    const notes = [
      (own: typeof letters, record: LogRecord) => noteFound(own, letterOf(record)),
      (own: typeof letters, record: LogRecord) => noteOwn(own, record),
    ];
    for (const note of notes) {
      const own = createDeadLetters(none, 0);
      for (let n = 0; n < 99_999; n++) own.found.set(`${n}`, "");
      note(own, recordAt(3, "A"));
      note(own, recordAt(4, "B"));
      assert.equal(isDeadLettered(own, recordAt(3, "A")), true);
      assert.equal(isDeadLettered(own, recordAt(4, "B")), false);
    }
  });
});
