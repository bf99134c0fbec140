/** Flushing behind: nothing is confirmed before the flush that it needs, and nothing after one that failed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../../../src/log/embedded/errors.ts";
import { Flusher, type WalFile } from "../../../src/log/embedded/flusher.ts";
import { Writer } from "../../../src/log/embedded/writer.ts";
import { aRecord } from "../../contracts/event-log/harness.ts";
import { storeOf } from "./harness.ts";
import { ManualClock } from "./manual-clock.ts";

const timeoutMs = 1_000;

function flusherOnTest() {
  const ends: ((error: Error | null) => void)[] = [];
  const calls: string[] = [];
  const wal: WalFile = {
    flush: (onEnd) => void ends.push(onEnd),
    close: () => void calls.push("close"),
  };
  const clock = new ManualClock();
  const flushed: number[] = [];
  const onFlushed = (sequence: number) => void flushed.push(sequence);
  const flusher = new Flusher({ file: "/data/log.db", wal, clock, timeoutMs, onFlushed });
  const settled: string[] = [];
  const add = (sequence: number, name: string) => {
    const settle = (failure: Failure | null) =>
      void settled.push(`${name}: ${failure?.problem.code ?? "ok"}`);
    flusher.add(sequence, [{ records: 1, settle }]);
  };
  return { flusher, add, ends, calls, flushed, settled, clock };
}

test("what is committed during a flush waits for the next one, which all of it shares", () => {
  const { add, ends, flushed, settled, flusher } = flusherOnTest();
  add(1, "a");
  add(2, "b");
  add(3, "c");
  assert.deepEqual([ends.length, settled, flusher.records], [1, [], 3]);
  ends[0]!(null);
  assert.deepEqual([settled, flushed, flusher.records], [["a: ok"], [1], 2]);
  ends[1]!(null);
  assert.deepEqual(settled, ["a: ok", "b: ok", "c: ok"]);
  assert.deepEqual([flushed, ends.length], [[1, 3], 2]);
});

test("after a flush that failed nothing is confirmed, not even by a later flush", () => {
  const { add, ends, flushed, settled, flusher } = flusherOnTest();
  add(1, "a");
  add(2, "b");
  ends[0]!(new Error("EIO: i/o error"));
  add(3, "c");
  assert.deepEqual(settled, ["a: log-flush-failed", "b: log-flush-failed", "c: log-flush-failed"]);
  assert.deepEqual([flushed, ends.length], [[], 1]);
  assert.match(flusher.failure!.problem.message, /\/data\/log\.db: EIO/);
});

test("a disk that does not answer blocks no caller, and is used again once it answers", () => {
  const { add, ends, flushed, settled, clock } = flusherOnTest();
  add(1, "a");
  add(2, "b");
  clock.advance(timeoutMs);
  add(3, "c");
  assert.deepEqual(settled, ["a: log-flush-slow", "b: log-flush-slow", "c: log-flush-slow"]);
  ends[0]!(null);
  add(4, "d");
  ends[1]!(null);
  assert.deepEqual([settled.at(-1), flushed], ["d: ok", [1, 4]]);
});

test("closing waits for the flush that is under way and for the one after it, then the file is closed", async () => {
  const { add, ends, calls, flushed, settled, flusher } = flusherOnTest();
  add(1, "a");
  add(2, "b");
  const closed = flusher.close();
  ends[0]!(null);
  assert.deepEqual([settled, calls], [["a: ok"], []]);
  ends[1]!(null);
  await closed;
  assert.deepEqual([settled, flushed, calls], [["a: ok", "b: ok"], [1, 2], ["close"]]);
});

test("closing on a broken disk confirms nothing", async () => {
  const { add, ends, calls, settled, flusher } = flusherOnTest();
  add(1, "a");
  add(2, "b");
  const closed = flusher.close();
  ends[0]!(new Error("EIO: i/o error"));
  await closed;
  assert.deepEqual([settled, calls], [["a: log-flush-failed", "b: log-flush-failed"], ["close"]]);
});

test("closing does not wait for a disk that does not answer, and leaves it the file", async () => {
  const { add, ends, calls, flushed, settled, flusher, clock } = flusherOnTest();
  add(1, "a");
  const closed = flusher.close();
  clock.advance(timeoutMs);
  await closed;
  assert.deepEqual([settled, calls], [["a: log-flush-slow"], []]);
  ends[0]!(null);
  assert.deepEqual([calls, flushed], [["close"], []]);
});

test("a writer whose disk failed once writes nothing more, and its mark stays behind", async (t) => {
  const { file, store, mark } = storeOf(t);
  const errors = [null, new Error("EIO: i/o error"), null];
  const wal: WalFile = {
    flush: (onEnd) => void setImmediate(onEnd, errors.shift()!),
    close: () => {},
  };
  const writer = new Writer({ file, store, mark, clock: new ManualClock(), wal }, timeoutMs);
  const codes: string[] = [];
  for (let nth = 0; nth < 3; nth++) {
    const written = await writer.write(1, () => store.append([aRecord("dlq", 0, `${nth}`)], 1));
    codes.push(written.ok ? "ok" : written.problem.code);
  }
  assert.deepEqual(codes, ["ok", "log-flush-failed", "log-flush-failed"]);
  assert.equal(mark.read(), 1);
  const fetched = store.fetch("dlq", 0, 0);
  assert.ok(fetched.kind === "records" && fetched.records.length === 2, "the third is not written");
});
