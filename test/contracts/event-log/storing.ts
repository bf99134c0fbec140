/** `append` and `scan`: what goes in comes out, whole and in order. */
import assert from "node:assert/strict";
import type { Header, LogRecord, NewRecord, Topic } from "../../../src/ports.ts";
import {
  append,
  appendTexts,
  aRecord,
  assertInPlace,
  at,
  bytes,
  type DefineCase,
  type Features,
  never,
  numbered,
  scan,
  textsOf,
} from "./harness.ts";

const allBytes = Uint8Array.from({ length: 256 }, (_, index) => index);
const none = new Uint8Array(0);

const ownBytes = (value: Uint8Array | null) => (value === null ? null : Uint8Array.from(value));
const ownHeaders = (headers: readonly Header[]) => headers.map(([name, value]) => [name, ownBytes(value)]);

async function assertRoundTrip(
  log: Parameters<typeof scan>[0],
  records: readonly NewRecord[],
): Promise<void> {
  await append(log, records);
  const stored = await scan(log, at(records[0]!.topic, records[0]!.partition));
  assert.equal(stored.records.length, records.length);
  records.forEach((record, index) => {
    const got = stored.records[index]!;
    assert.deepEqual(ownBytes(got.key), record.key);
    assert.deepEqual(ownBytes(got.value), record.value);
    assert.deepEqual(ownHeaders(got.headers), record.headers);
  });
}

export function storingCases(define: DefineCase, features: Features): void {
  define("keeps the order of appends in every partition and topic", async ({ log }) => {
    const topics: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];
    for (const topic of topics) {
      await append(
        log,
        numbered("r", 40).map((value, index) => aRecord(topic, index % 2, `${topic} ${value}`)),
      );
      await appendTexts(log, at(topic, 1), ["last"]);
    }
    for (const topic of topics) {
      const all = numbered("r", 40).map((value) => `${topic} ${value}`);
      const even = all.filter((_, index) => index % 2 === 0);
      const odd = all.filter((_, index) => index % 2 === 1);
      assert.deepEqual(textsOf((await scan(log, at(topic, 0))).records), even);
      assert.deepEqual(textsOf((await scan(log, at(topic, 1))).records), [...odd, "last"]);
    }
  });

  define("puts a record where the caller says, whatever its key", async ({ log }) => {
    const last = log.partitionCount - 1;
    const keys = [null, none, bytes("a"), bytes("b"), allBytes];
    await append(
      log,
      keys.map((key) => ({ topic: "enrolled", partition: last, key, value: bytes("v"), headers: [] })),
    );
    assert.equal((await scan(log, at("enrolled", last))).records.length, keys.length);
    for (let partition = 0; partition < last; partition += 1) {
      assert.deepEqual((await scan(log, at("enrolled", partition))).records, []);
    }
  });

  define("keeps bytes as they are; null and empty stay apart", async ({ log }) => {
    const values = [null, none, allBytes, bytes("text"), new Uint8Array(256 * 1024).fill(0xff)];
    const records = values.flatMap((value) =>
      [null, none, allBytes].map(
        (key): NewRecord => ({ topic: "enrolled", partition: 0, key, value, headers: [] }),
      ),
    );
    await assertRoundTrip(log, records);
  });

  define("keeps headers: repeated, empty, null, any bytes, none", async ({ log }) => {
    const lists: Header[][] = [
      [],
      [["one", bytes("1")]],
      [
        ["a", bytes("1")],
        ["a", bytes("2")],
        ["a", bytes("1")],
        ["b", null],
        ["c", none],
        ["ünïcode ✓", allBytes],
      ],
      [
        ["n", null],
        ["n", bytes("x")],
        ["n", null],
      ],
      [
        ["__proto__", bytes("p")],
        ["constructor", bytes("c")],
        ["toString", null],
      ],
    ];
    await assertRoundTrip(
      log,
      lists.map((headers) => ({ topic: "dlq", partition: 0, key: null, value: bytes("v"), headers })),
    );
  });

  if (features.headerOrderAcrossNames) {
    define("keeps the order of headers across names", async ({ log }) => {
      const names = ["b", "a", "b", "2", "1", "a"];
      const headers = names.map((name, index): Header => [name, bytes(String(index))]);
      await assertRoundTrip(log, [{ topic: "enrolled", partition: 0, key: null, value: null, headers }]);
    });
  }

  define("stamps records with the time of their production", async ({ log, clock }) => {
    const before = clock.wallMs();
    await appendTexts(log, at("enrolled", 0), ["a"]);
    const after = clock.wallMs();
    const [record] = (await scan(log, at("enrolled", 0))).records;
    assert.ok(record!.timestampMs >= before - 1000 && record!.timestampMs <= after + 1000);
  });

  define("tells at which offset each record of overlapping calls stands", async ({ log }) => {
    const calls = numbered("call", 6).map((call) => numbered(`${call} `, 40));
    const told = new Map<string, number>();
    const appendTold = async (values: readonly string[]) => {
      const records = values.map((value, index) => aRecord("retry", index % 2, value));
      const onStored = (index: number, offset: number) =>
        void told.set(`${index % 2} ${values[index]}`, offset);
      assert.deepEqual(await log.append(records, onStored), { ok: true });
      for (const [index, value] of values.entries()) assert.ok(told.has(`${index % 2} ${value}`), value);
    };
    await Promise.all(calls.map(appendTold));
    await appendTold(["alone"]);
    const stored = [
      ...(await scan(log, at("retry", 0))).records,
      ...(await scan(log, at("retry", 1))).records,
    ];
    for (const record of stored)
      assert.equal(told.get(`${record.partition} ${textsOf([record])[0]}`), record.offset);
    assert.equal(stored.length, told.size);
  });

  define("stores every record of overlapping calls, each call in its order", async ({ log }) => {
    const calls = numbered("call", 12).map((call) => numbered(`${call} `, 25));
    await Promise.all(calls.map((values) => appendTexts(log, at("enrolled", 1), values)));
    const stored = textsOf((await scan(log, at("enrolled", 1))).records);
    assert.equal(stored.length, 300);
    for (const values of calls) {
      const mine = new Set(values);
      assert.deepEqual(
        stored.filter((value) => mine.has(value!)),
        values,
      );
    }
  });

  define("an append of nothing succeeds and stores nothing", async ({ log }) => {
    await append(log, []);
    assert.deepEqual((await scan(log, at("enrolled", 0))).records, []);
  });

  define("what one client appended another one scans", async ({ log, another }) => {
    await appendTexts(log, at("registered", 0), ["a", "b"]);
    const other = await another();
    assert.deepEqual(textsOf((await scan(other, at("registered", 0))).records), ["a", "b"]);
    await appendTexts(other, at("registered", 0), ["c"]);
    assert.deepEqual(textsOf((await scan(log, at("registered", 0))).records), ["a", "b", "c"]);
  });

  define("scans from an offset to the end, and continues from there", async ({ log }) => {
    await appendTexts(log, at("registered", 0), numbered("r", 10));
    const whole = await scan(log, at("registered", 0));
    assert.deepEqual(textsOf(whole.records), numbered("r", 10));
    const fourth = await scan(log, at("registered", 0), whole.records[3]!.offset);
    assert.deepEqual(textsOf(fourth.records), numbered("r", 10).slice(3));
    assert.equal(fourth.nextOffset, whole.nextOffset);
    await appendTexts(log, at("registered", 0), ["later"]);
    assert.deepEqual(textsOf((await scan(log, at("registered", 0), whole.nextOffset)).records), ["later"]);
  });

  define("a scan of an empty partition, or from the end, hands over nothing", async ({ log }) => {
    const empty = await scan(log, at("registered", 1));
    assert.deepEqual(empty, { records: [], nextOffset: 0 });
    await appendTexts(log, at("registered", 0), ["a", "b"]);
    const end = (await scan(log, at("registered", 0))).nextOffset;
    assert.deepEqual(await scan(log, at("registered", 0), end), { records: [], nextOffset: end });
  });

  define("a scan from beyond the end fails, and says where the log ends", async ({ log }) => {
    await appendTexts(log, at("registered", 0), ["a", "b"]);
    const end = (await scan(log, at("registered", 0))).nextOffset;
    const result = await log.scan("registered", 0, end + 100, () => assert.fail(), never());
    assert.ok(!result.ok);
    assert.equal(result.logEnd, end);
    assert.notEqual(result.reason.trim(), "");
  });

  define("a survey: ids and bounds of the four topics", async ({ log, another, trim }) => {
    await append(log, [
      aRecord("enrolled", 0, "a"),
      aRecord("enrolled", 0, "b"),
      aRecord("retry", 1, "c"),
      aRecord("registered", 0, "d"),
      aRecord("dlq", 1, "e"),
    ]);
    await trim?.("enrolled", 0, 1);
    const result = await (await another()).survey();
    assert.ok(result.ok, result.ok ? "" : result.reason);
    const { topics } = result;
    const boundsOf = (topic: Topic) => topics[topic].bounds.slice(0, 2);
    const none = { start: 0, end: 0 };
    const one = { start: 0, end: 1 };
    assert.deepEqual(boundsOf("enrolled"), [{ start: trim === null ? 0 : 1, end: 2 }, none]);
    assert.deepEqual(boundsOf("retry"), [none, one]);
    assert.deepEqual(boundsOf("registered"), [one, none]);
    assert.deepEqual(boundsOf("dlq"), [none, one]);
    for (const topic of ["enrolled", "retry", "registered"] as const) {
      assert.equal(topics[topic].bounds.length, log.partitionCount);
    }
    const ids = Object.values(topics).map(({ id }) => id);
    assert.ok(ids.every((id) => id === null) || (!ids.includes(null) && new Set(ids).size === 4));
    const again = await log.survey();
    assert.ok(again.ok);
    assert.deepEqual(again.topics, topics);
  });

  define("a scan of thousands loses, repeats and reorders none", async ({ log }) => {
    const values = numbered("record ", 3000);
    for (let first = 0; first < values.length; first += 500) {
      await appendTexts(log, at("registered", 0), values.slice(first, first + 500));
    }
    assert.deepEqual(textsOf((await scan(log, at("registered", 0))).records), values);
  });

  define("a scan while records are appended, and the next one, hand over each once", async ({ log }) => {
    await appendTexts(log, at("registered", 0), numbered("old ", 1200));
    const got: LogRecord[] = [];
    let appended: Promise<void> | null = null;
    const onRecords = (records: readonly LogRecord[]) => {
      got.push(...records);
      appended ??= appendTexts(log, at("registered", 0), numbered("new ", 50));
    };
    const result = await log.scan("registered", 0, 0, onRecords, never());
    assert.ok(result.ok);
    await appended;
    got.push(...(await scan(log, at("registered", 0), result.nextOffset)).records);
    assertInPlace(got, "registered", 0);
    assert.deepEqual(textsOf(got), [...numbered("old ", 1200), ...numbered("new ", 50)]);
  });

  define("scans may overlap", async ({ log }) => {
    await appendTexts(log, at("registered", 0), numbered("a", 20));
    await appendTexts(log, at("registered", 1), numbered("b", 20));
    const [a, b, again] = await Promise.all([
      scan(log, at("registered", 0)),
      scan(log, at("registered", 1)),
      scan(log, at("registered", 0)),
    ]);
    assert.deepEqual(textsOf(a.records), numbered("a", 20));
    assert.deepEqual(textsOf(b.records), numbered("b", 20));
    assert.deepEqual(again, a);
  });

  define("an aborted scan settles, and claims nothing that it did not hand over", async ({ log }) => {
    await appendTexts(log, at("registered", 0), numbered("r", 1500));
    const abort = new AbortController();
    const got: LogRecord[] = [];
    const onRecords = (records: readonly LogRecord[]) => {
      got.push(...records);
      abort.abort();
    };
    const result = await log.scan("registered", 0, 0, onRecords, abort.signal);
    assert.deepEqual(textsOf(got), numbered("r", 1500).slice(0, got.length));
    if (result.ok) assert.equal(result.nextOffset, got.at(-1)!.offset + 1);
    const before = await log.scan("registered", 0, 0, () => assert.fail(), AbortSignal.abort());
    if (before.ok) assert.equal(before.nextOffset, 0);
  });
}
