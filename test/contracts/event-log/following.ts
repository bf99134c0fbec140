/** `tail`: a topic as it grows, without membership. */
import assert from "node:assert/strict";
import type { LogRecord, Topic } from "../../../src/ports.ts";
import {
  appendTexts,
  assertInPlace,
  at,
  type DefineCase,
  type Log,
  numbered,
  Signal,
  text,
  textsOf,
} from "./harness.ts";

interface Follower {
  readonly records: readonly LogRecord[];
  until(accept: (records: readonly LogRecord[]) => boolean): Promise<void>;
  stop(): Promise<void>;
}

function follow(log: Log, topic: Topic, from: "start" | "end"): Follower {
  const records: LogRecord[] = [];
  const changed = new Signal();
  const abort = new AbortController();
  const onRecords = (batch: readonly LogRecord[]) => {
    assert.ok(!abort.signal.aborted, "nothing is handed over after the abort");
    records.push(...batch);
    changed.fire();
  };
  const done = log.tail(topic, from, onRecords, abort.signal);
  return {
    records,
    async until(accept) {
      while (!accept(records)) await changed.next();
    },
    async stop() {
      abort.abort();
      assert.deepEqual(await done, { ok: true });
    },
  };
}

const ofPartition = (records: readonly LogRecord[], partition: number) =>
  records.filter((record) => record.partition === partition);

export function followingCases(define: DefineCase): void {
  define(
    "tail from the start: old records first, then new ones, of all partitions",
    async ({ log, another }) => {
      await appendTexts(log, at("registered", 0), numbered("a", 600));
      await appendTexts(log, at("registered", 1), numbered("b", 2));
      const follower = follow(await another(), "registered", "start");
      await follower.until((records) => records.length >= 602);
      await appendTexts(log, at("registered", 0), ["new a"]);
      await appendTexts(log, at("registered", 1), ["new b"]);
      await follower.until((records) => records.length >= 604);
      await follower.stop();
      const [a, b] = [ofPartition(follower.records, 0), ofPartition(follower.records, 1)];
      assertInPlace(a, "registered", 0);
      assertInPlace(b, "registered", 1);
      assert.deepEqual(textsOf(a), [...numbered("a", 600), "new a"]);
      assert.deepEqual(textsOf(b), [...numbered("b", 2), "new b"]);
    },
  );

  define("tail from the end: nothing old, everything after the first that came", async ({ log }) => {
    await appendTexts(log, at("dlq", 0), ["old"]);
    const follower = follow(log, "dlq", "end");
    // Where the end is taken is the adapter's choice, so probes go out until one comes back.
    const probes: string[] = [];
    while (follower.records.length === 0) {
      probes.push(`probe ${probes.length}`);
      await appendTexts(log, at("dlq", 0), [probes.at(-1)!]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await appendTexts(log, at("dlq", 0), ["last"]);
    await follower.until((records) => text(records.at(-1)!.value) === "last");
    await follower.stop();
    const got = textsOf(follower.records);
    const expected = [...probes, "last"];
    assert.deepEqual(got, expected.slice(expected.length - got.length));
  });

  define("tail needs no membership, and disturbs none", async ({ log, join }) => {
    const session = await (await join()).session();
    const follower = follow(log, "enrolled", "start");
    await appendTexts(log, at("enrolled", 0), ["a"]);
    await follower.until((records) => records.length === 1);
    await follower.stop();
    assert.ok(!session.ended.aborted);
  });

  define("a tail that was aborted before it began settles", async ({ log }) => {
    assert.deepEqual(await log.tail("dlq", "start", () => assert.fail(), AbortSignal.abort()), { ok: true });
  });
}
