import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../lab/testkit/virtual-clock.ts";
import { openLogSink } from "../../src/observe/log-sink.ts";

/** A place with `room` bytes, or one that answers with an error. */
function openPlace() {
  const clock = virtualClock();
  const place = { text: "", room: Number.POSITIVE_INFINITY, error: "", tries: 0 };
  const told: string[] = [];
  let dropped = 0;
  const sink = openLogSink(
    {
      maxWaitingBytes: 40,
      writeSome(bytes) {
        place.tries += 1;
        const count = Math.min(bytes.length, place.room);
        if (place.error !== "" || count === 0)
          throw Object.assign(new Error("no"), { code: place.error || "EAGAIN" });
        place.room -= count;
        place.text += Buffer.from(bytes.subarray(0, count)).toString();
        return count;
      },
      onDropped: (lines) => {
        dropped += lines;
      },
      onRecovered: (lines, reason) => {
        told.push(`${lines} ${reason}`);
        sink.write(`${lines} missing\n`);
      },
    },
    clock,
  );
  return { clock, place, sink, told, dropped: () => dropped };
}

test("a line is written immediately, while all is well", () => {
  const { sink, place, clock } = openPlace();
  sink.write("one\n");
  assert.equal(place.text, "one\n");
  assert.equal(clock.pendingTimers, 0);
});

test("lines wait for a full disk, up to the bound; the rest is dropped, counted, and said when there is room", () => {
  const { sink, place, clock, told, dropped } = openPlace();
  place.error = "ENOSPC";
  for (let number = 10; number < 30; number++) sink.write(`line ${number}\n`);
  assert.equal(place.tries, 1, "no try for each line");
  assert.equal(dropped(), 15);
  clock.advance(1_000);
  assert.deepEqual([place.text, told], ["", []]);
  place.error = "";
  clock.advance(1_000);
  assert.equal(place.text, "line 10\nline 11\nline 12\nline 13\nline 14\n15 missing\n");
  assert.deepEqual(told, ["15 ENOSPC"]);
  sink.write("on\n");
  assert.ok(place.text.endsWith("15 missing\non\n"));
  assert.equal(clock.pendingTimers, 0);
});

test("a line that fits in part is finished before the next", () => {
  const { sink, place, clock } = openPlace();
  place.room = 6;
  sink.write("one\n");
  sink.write("two\n");
  sink.write("three\n");
  assert.equal(place.text, "one\ntw");
  place.room = Number.POSITIVE_INFINITY;
  clock.advance(20);
  assert.equal(place.text, "one\ntwo\nthree\n");
});

test("where no line was dropped nothing is said", () => {
  const { sink, place, clock, told } = openPlace();
  place.error = "EPIPE";
  sink.write("one\n");
  place.error = "";
  clock.advance(1_000);
  assert.deepEqual([place.text, told], ["one\n", []]);
});

test("close waits for a slow reader, and not for longer than so", async () => {
  for (const [room, expected] of [
    [Number.POSITIVE_INFINITY, "one\n"],
    [0, ""],
  ] as const) {
    const { sink, place, clock } = openPlace();
    place.room = 0;
    sink.write("one\n");
    const closed = sink.close(500);
    place.room = room;
    clock.advance(20);
    clock.advance(480);
    await closed;
    assert.equal(place.text, expected);
    assert.equal(clock.pendingTimers, 0);
  }
});
