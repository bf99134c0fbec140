import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import { type Span, spanKinds } from "../../../src/observe/traces/span.ts";
import {
  createSpanQueue,
  type QueueNote,
  type Sent,
  type SpanQueueSettings,
} from "../../../src/observe/traces/span-queue.ts";

const span: Span = {
  ...{ traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", parentSpanId: "" },
  ...{ name: "x", kind: spanKinds.internal, startMs: 1, endMs: 2, fixed: new Uint8Array() },
  ...{ attributes: [], links: [], events: [], hasFailed: false },
};
const taken: Sent = { ok: true };
const refusedForNow: Sent = { ok: false, reason: "HTTP 503", isRetryable: true };
const refused: Sent = { ok: false, reason: "HTTP 400", isRetryable: false };

function queueWith(
  answer: (signal: AbortSignal) => Promise<Sent>,
  settings: Partial<SpanQueueSettings> = {},
) {
  const time = virtualTime();
  const notes: QueueNote[] = [];
  const sent: number[] = [];
  const queue = createSpanQueue({ maxSpans: 100, batchSpans: 10, delayMs: 5_000, ...settings }, time, {
    send: (bytes, signal) => {
      sent.push(bytes.length);
      return answer(signal);
    },
    onNote: (note) => notes.push(note),
  });
  const add = (count: number) => {
    for (let i = 0; i < count; i++) queue.add(span);
  };
  return { time, notes, sent, queue, add };
}

const never = () => new Promise<Sent>(() => {});
const untilGivenUp = (signal: AbortSignal) =>
  new Promise<Sent>((resolve) => signal.addEventListener("abort", () => resolve(refusedForNow)));

test("a few spans wait for others, many are sent immediately", async () => {
  const { time, sent, queue, add } = queueWith(async () => taken);
  add(3);
  await time.pass(4_999);
  assert.equal(sent.length, 0);
  await time.pass(1);
  assert.equal(sent.length, 1);
  add(10);
  await time.rest();
  assert.equal(sent.length, 2);
  assert.deepEqual([queue.waiting(), queue.exported(), queue.dropped()], [0, 13, 0]);
});

test("a collector that never answers costs spans, which are counted, and nothing else", async () => {
  const { time, sent, queue, add } = queueWith(never);
  add(250);
  await time.pass(3_600_000);
  assert.equal(sent.length, 1);
  assert.deepEqual([queue.waiting(), queue.dropped()], [100, 150]);
});

test("what is refused for now is sent again, later each time; the failure is reported once, and its end", async () => {
  let answer: Sent = refusedForNow as Sent;
  const { time, notes, sent, queue, add } = queueWith(async () => answer);
  add(10);
  await time.pass(600_000);
  assert.ok(sent.length > 10 && sent.length < 30, `${sent.length} requests in ten minutes`);
  assert.deepEqual(notes, [{ kind: "failing", reason: "HTTP 503" }]);
  answer = taken;
  await time.pass(30_000);
  assert.deepEqual(notes.slice(1), [{ kind: "works-again", dropped: 0 }]);
  assert.deepEqual([queue.waiting(), queue.exported()], [0, 10]);
});

test("what is refused for good is given up, and the next batch has its turn", async () => {
  let answer: Sent = refused as Sent;
  const { time, queue, add } = queueWith(async () => answer);
  add(10);
  await time.rest();
  answer = taken;
  add(10);
  await time.pass(1_000);
  assert.deepEqual([queue.waiting(), queue.exported(), queue.dropped()], [0, 10, 10]);
});

test("the end sends what is left, also behind a batch that is under way", async () => {
  const { promise, resolve } = Promise.withResolvers<Sent>();
  let answer = () => promise;
  const { time, queue, add } = queueWith(() => answer());
  add(15);
  const closed = queue.close(2_000);
  answer = async () => taken;
  resolve(taken);
  await closed;
  assert.deepEqual([queue.waiting(), queue.exported(), queue.dropped()], [0, 15, 0]);
  add(1);
  assert.equal(queue.dropped(), 1);
  await time.pass(60_000);
});

test("the end waits for a collector that does not answer no longer than it may", async () => {
  const { time, queue, add } = queueWith(untilGivenUp);
  add(15);
  let isClosed = false;
  void queue.close(2_000).then(() => {
    isClosed = true;
  });
  await time.pass(1_999);
  assert.equal(isClosed, false);
  await time.pass(1);
  assert.equal(isClosed, true);
  assert.equal(queue.dropped(), 15);
});
