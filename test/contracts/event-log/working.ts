/** A session at work: `seek`, `read`, `positions`, `commit`. */
import assert from "node:assert/strict";
import { type Committed, type InputTopic, inputTopics } from "../../../src/ports.ts";
import {
  append,
  appendTexts,
  aRecord,
  at,
  type DefineCase,
  type Features,
  numbered,
  positionOf,
  readRecords,
  scan,
  textsOf,
  watch,
} from "./harness.ts";

/** Every kind of character that could be mangled on the way, 1,024 UTF-16 units of it. */
const longestMetadata = `{"a":"\\"'\u0000\n\r\t\u0001%_;--é€\u2028😀"}`
  .repeat(64)
  .slice(0, 1020)
  .padEnd(1024, "ż");

export function workingCases(define: DefineCase, features: Features): void {
  define("one member alone is given every partition", async ({ log, clock, join }) => {
    const session = await (await join()).session();
    const all = Array.from({ length: log.partitionCount }, (_, partition) => partition);
    assert.deepEqual(
      [...session.partitions].sort((a, b) => a - b),
      all,
    );
    assert.ok(session.leaseMs > 0);
    assert.ok(session.heldUntilMs() > clock.nowMs());
    for (const bound of [session.leaseMs, session.heldUntilMs()])
      assert.equal(Number.isFinite(bound), features.expires);
  });

  define("nothing is delivered before seek", async ({ log, join }) => {
    await appendTexts(log, at("enrolled", 0), ["a"]);
    await appendTexts(log, at("enrolled", 1), ["b"]);
    const session = await (await join()).session();
    const unsought = session.read("enrolled", 0);
    const state = watch(unsought);
    session.seek("enrolled", 1, 0, -1);
    assert.deepEqual(textsOf(await readRecords(session, at("enrolled", 1), 1)), ["b"]);
    assert.equal(state.settled, false);
    session.seek("enrolled", 0, 0, -1);
    const result = await unsought;
    assert.ok(result.kind === "records");
    assert.deepEqual(textsOf(result.records), ["a"]);
  });

  for (const topic of inputTopics) {
    define(
      `read hands over the records of ${topic} in order, and waits for the next`,
      async ({ log, join }) => {
        await appendTexts(log, at(topic, 0), numbered("old ", 700));
        const session = await (await join()).session();
        session.seek(topic, 0, 0, -1);
        assert.deepEqual(textsOf(await readRecords(session, at(topic, 0), 700)), numbered("old ", 700));
        for (const value of ["first", "second", "third"]) {
          const waiting = readRecords(session, at(topic, 0), 1);
          await appendTexts(log, at(topic, 0), [value]);
          assert.deepEqual(textsOf(await waiting), [value]);
        }
      },
    );
  }

  define("reads of all partitions of both inputs wait side by side", async ({ log, join }) => {
    const session = await (await join()).session();
    const places = inputTopics.flatMap((topic) =>
      session.partitions.map((partition) => ({ topic, partition })),
    );
    for (const { topic, partition } of places) session.seek(topic, partition, 0, -1);
    const waiting = places.map(({ topic, partition }) => readRecords(session, at(topic, partition), 1));
    await append(
      log,
      places.map(({ topic, partition }) => aRecord(topic, partition, `${topic} ${partition}`)),
    );
    const got = await Promise.all(waiting);
    assert.deepEqual(
      got.map((records) => textsOf(records)),
      places.map(({ topic, partition }) => [`${topic} ${partition}`]),
    );
  });

  define("a waiting read learns of records that another client appended", async ({ another, join }) => {
    const other = await another();
    const session = await (await join()).session();
    session.seek("enrolled", 0, 0, -1);
    for (const value of ["first", "second"]) {
      const waiting = readRecords(session, at("enrolled", 0), 1);
      await appendTexts(other, at("enrolled", 0), [value]);
      assert.deepEqual(textsOf(await waiting), [value]);
    }
  });

  define("read begins at the offset that was sought", async ({ log, join }) => {
    await appendTexts(log, at("enrolled", 0), numbered("r", 10));
    const { records } = await scan(log, at("enrolled", 0));
    const session = await (await join()).session();
    session.seek("enrolled", 0, records[6]!.offset, -1);
    assert.deepEqual(textsOf(await readRecords(session, at("enrolled", 0), 4)), ["r6", "r7", "r8", "r9"]);
  });

  define("seek back redelivers, also under a read that waits", async ({ log, join }) => {
    await appendTexts(log, at("enrolled", 0), numbered("r", 5));
    const session = await (await join()).session();
    session.seek("enrolled", 0, 0, -1);
    const [, , third] = await readRecords(session, at("enrolled", 0), 5);
    session.seek("enrolled", 0, third!.offset, -1);
    assert.deepEqual(textsOf(await readRecords(session, at("enrolled", 0), 3)), ["r2", "r3", "r4"]);
    const waiting = readRecords(session, at("enrolled", 0), 5);
    session.seek("enrolled", 0, 0, -1);
    assert.deepEqual(textsOf(await waiting), numbered("r", 5));
  });

  define("seek forward skips what was fetched already", async ({ log, join }) => {
    await appendTexts(log, at("enrolled", 0), numbered("r", 900));
    const { records } = await scan(log, at("enrolled", 0));
    const session = await (await join()).session();
    session.seek("enrolled", 0, 0, -1);
    await readRecords(session, at("enrolled", 0), 1);
    session.seek("enrolled", 0, records[898]!.offset, -1);
    assert.deepEqual(textsOf(await readRecords(session, at("enrolled", 0), 2)), ["r898", "r899"]);
  });

  define("a partition that is not read delays no other, and loses nothing", async ({ log, join }) => {
    await appendTexts(log, at("enrolled", 0), numbered("unread ", 1500));
    const session = await (await join()).session();
    session.seek("enrolled", 0, 0, -1);
    session.seek("enrolled", 1, 0, -1);
    for (const value of numbered("r", 20)) {
      const waiting = readRecords(session, at("enrolled", 1), 1);
      await appendTexts(log, at("enrolled", 1), [value]);
      assert.deepEqual(textsOf(await waiting), [value]);
    }
    assert.deepEqual(textsOf(await readRecords(session, at("enrolled", 0), 1500)), numbered("unread ", 1500));
  });

  define("positions: no commit at first, the log's bounds, both inputs", async ({ log, join }) => {
    await appendTexts(log, at("enrolled", 1), ["a", "b", "c"]);
    const session = await (await join()).session();
    const all = await session.positions(session.partitions);
    assert.ok(all.ok);
    const places = all.positions.map((p) => `${p.topic} ${p.partition}`).sort();
    const expected = inputTopics.flatMap((topic) => session.partitions.map((p) => `${topic} ${p}`));
    assert.deepEqual(places, expected.sort());
    for (const position of all.positions) {
      assert.equal(position.committed, null);
      assert.equal(position.logStart, 0);
    }
    const { logEnd } = await positionOf(session, "enrolled", 1);
    assert.equal((await positionOf(session, "retry", 1)).logEnd, 0);
    await appendTexts(log, at("enrolled", 1), ["next"]);
    assert.equal((await scan(log, at("enrolled", 1))).records.at(-1)!.offset, logEnd);
  });

  define("commits come back as they were, the newest of each partition", async ({ join }) => {
    const session = await (await join()).session();
    const commit = (topic: InputTopic, committed: Committed) => ({ topic, partition: 0, ...committed });
    assert.equal(longestMetadata.length, 1024);
    const first = [
      commit("enrolled", { offset: 3, metadata: "plain" }),
      commit("retry", { offset: 7, metadata: longestMetadata }),
    ];
    assert.equal(await session.commit(first), "committed");
    assert.deepEqual((await positionOf(session, "enrolled", 0)).committed, { offset: 3, metadata: "plain" });
    assert.deepEqual((await positionOf(session, "retry", 0)).committed, {
      offset: 7,
      metadata: longestMetadata,
    });
    assert.equal((await positionOf(session, "enrolled", 1)).committed, null);
    assert.equal(await session.commit([commit("enrolled", { offset: 4, metadata: "" })]), "committed");
    assert.deepEqual((await positionOf(session, "enrolled", 0)).committed, { offset: 4, metadata: "" });
    assert.deepEqual((await positionOf(session, "retry", 0)).committed, {
      offset: 7,
      metadata: longestMetadata,
    });
    assert.equal(await session.commit([commit("enrolled", { offset: 0, metadata: "back" })]), "committed");
    assert.deepEqual((await positionOf(session, "enrolled", 0)).committed, { offset: 0, metadata: "back" });
  });

  define("a position beyond the log's end is a gap; the end itself is none", async ({ log, join }) => {
    await appendTexts(log, at("enrolled", 0), numbered("r", 3));
    const session = await (await join()).session();
    const { logStart, logEnd } = await positionOf(session, "enrolled", 0);
    session.seek("enrolled", 0, logEnd + 7, -1);
    const gap = { kind: "gap", why: "truncated", expected: logEnd + 7, logStart, logEnd };
    assert.deepEqual(await session.read("enrolled", 0), gap);
    session.seek("enrolled", 0, logEnd, -1);
    const waiting = readRecords(session, at("enrolled", 0), 1);
    await appendTexts(log, at("enrolled", 0), ["next"]);
    assert.deepEqual(textsOf(await waiting), ["next"]);
  });

  define(
    "a record's leader epoch, given back in seek, is not a gap while the record is there",
    async (bench) => {
      const { log, join } = bench;
      await appendTexts(log, at("retry", 1), numbered("r", 4));
      const session = await (await join()).session();
      session.seek("retry", 1, 0, -1);
      const [, second] = await readRecords(session, at("retry", 1), 4);
      session.seek("retry", 1, second!.offset + 1, second!.leaderEpoch);
      assert.deepEqual(textsOf(await readRecords(session, at("retry", 1), 2)), ["r2", "r3"]);
    },
  );

  define("retention: bounds move, read reports the gap, scan begins at the log's start", async (bench, t) => {
    const { log, trim, join } = bench;
    if (trim === null) return t.skip("nothing removes records of this log");
    await appendTexts(log, at("enrolled", 0), numbered("r", 6));
    const { records } = await scan(log, at("enrolled", 0));
    const logStart = records[4]!.offset;
    await trim("enrolled", 0, logStart);
    assert.deepEqual(textsOf((await scan(log, at("enrolled", 0))).records), ["r4", "r5"]);
    const session = await (await join()).session();
    assert.equal((await positionOf(session, "enrolled", 0)).logStart, logStart);
    session.seek("enrolled", 0, records[1]!.offset, -1);
    const { logEnd } = await positionOf(session, "enrolled", 0);
    const gap = { kind: "gap", why: "deleted", expected: records[1]!.offset, logStart, logEnd };
    assert.deepEqual(await session.read("enrolled", 0), gap);
    session.seek("enrolled", 0, logStart, -1);
    assert.deepEqual(textsOf(await readRecords(session, at("enrolled", 0), 2)), ["r4", "r5"]);
  });
}
