/** The index on both sides of a thread, over a real channel: what is read on the one side is found on the other. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { keyOf } from "../../lab/testkit/enrollments.ts";
import { systemClock } from "../../src/clock.ts";
import type { Enrollment } from "../../src/index/enrollment-index.ts";
import { type FromReader, newWaitersCount, type ToReader } from "../../src/index/messages.ts";
import { openEnrollmentIndex } from "../../src/index/open-index.ts";
import { createThreadSide } from "../../src/index/thread-side.ts";
import { ViewSide } from "../../src/index/view-side.ts";
import { event, indexPath, MemoryTopics, refused, registered } from "./topics.ts";

interface Heard {
  readonly kinds: string[];
  readonly texts: string[];
}

function pairOn(t: TestContext, topics: MemoryTopics, path: string) {
  const { port1, port2 } = new MessageChannel();
  const waiters = newWaitersCount();
  const heard: Heard = { kinds: [], texts: [] };
  const side = createThreadSide({
    ...{ path, log: topics.log, clock: systemClock, waiters },
    tell: (message) => port1.postMessage(message),
  });
  const view = new ViewSide({
    ...{ path, clock: systemClock, waiters },
    tell: (message) => port2.postMessage(message),
    onNote: (text) => heard.texts.push(text),
    onProblem: ({ code }) => heard.texts.push(code),
  });
  let changed = Promise.withResolvers<void>();
  port1.on("message", (message: ToReader) => side.hear(message));
  port2.on("message", (message: FromReader) => {
    heard.kinds.push(message.kind);
    view.hear(message);
    changed.resolve();
    changed = Promise.withResolvers<void>();
  });
  const running = side.run();
  const stop = async () => {
    port2.postMessage({ kind: "stop" } satisfies ToReader);
    await running;
    view.close();
    port1.close();
  };
  t.after(stop);
  const until = async (condition: () => boolean) => {
    while (!condition()) await changed.promise;
  };
  const caughtUp = () => until(() => view.progress().caughtUp);
  return { view, heard, until, caughtUp, stop };
}

const settled = (view: ViewSide, machine: string) =>
  new Promise((resolve) => view.whenSettled(keyOf({ machine }), resolve)) as Promise<Enrollment>;

test("what one side reads the other one finds, searches and counts; requests that wait there get it", async (t) => {
  const topics = new MemoryTopics();
  topics.append(event({ machine: "A" }));
  topics.append(registered({ machine: "B" }));
  const { view, heard, caughtUp } = pairOn(t, topics, indexPath(t));
  assert.equal(view.find(keyOf({ machine: "B" })), null);
  const first = settled(view, "B");
  await caughtUp();
  assert.equal((await first).state, "registered");
  assert.equal(view.find(keyOf({ machine: "A" }))?.state, "waiting");
  assert.deepEqual(
    view.search({ limit: 5, machineName: "b" }).rows.map(({ state }) => state),
    ["registered"],
  );
  assert.equal(view.counts().registered, 1);
  const second = settled(view, "A");
  topics.append(refused(topics.append(event({ machine: "A" }))));
  assert.equal((await second).refused?.code, "graph-400");
  assert.equal(view.find(keyOf({ machine: "A" }))?.state, "refused");
  assert.ok(heard.kinds.includes("outcomes"));
});

test("while no request waits, no outcomes are sent over", async (t) => {
  const topics = new MemoryTopics();
  const { view, heard, until, caughtUp } = pairOn(t, topics, indexPath(t));
  await caughtUp();
  topics.append(registered({ machine: "A" }));
  await until(() => view.find(keyOf({ machine: "A" })) !== null);
  assert.equal(heard.kinds.includes("outcomes"), false);
});

test("an index that is held reads nothing until it is let go, and one hold comes after the other", async (t) => {
  const topics = new MemoryTopics();
  topics.append(registered({ machine: "A" }));
  const { view, caughtUp, until } = pairOn(t, topics, indexPath(t));
  await caughtUp();
  const order: string[] = [];
  const letGo = Promise.withResolvers<void>();
  const first = view.hold(async ({ registered: { partitions } }) => {
    order.push(`first ${partitions[0]!.to}`);
    topics.append(registered({ machine: "B" }));
    await letGo.promise;
    order.push(`found ${view.find(keyOf({ machine: "B" }))?.state ?? "nothing"}`);
  });
  const second = view.hold(async () => void order.push("second"));
  await until(() => order.length > 0);
  letGo.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first 1", "found nothing", "second"]);
  await until(() => view.find(keyOf({ machine: "B" })) !== null);
});

test("a topic that was made again: the file is made again, and the view follows it", async (t) => {
  const topics = new MemoryTopics();
  topics.append(registered({ machine: "A" }));
  const { view, heard, caughtUp, until } = pairOn(t, topics, indexPath(t));
  await caughtUp();
  assert.equal(view.find(keyOf({ machine: "A" }))?.state, "registered");
  topics.make("registered", "registered-2");
  topics.append(registered({ machine: "B" }));
  await until(() => view.find(keyOf({ machine: "B" })) !== null);
  assert.equal(view.find(keyOf({ machine: "A" })), null);
  assert.match(heard.texts.join(), /built again from the topics: the registered topic was deleted/);
});

test("a view that comes upon damage finds nothing, has the file made again, and finds it then", async (t) => {
  const topics = new MemoryTopics();
  for (let n = 0; n < 300; n++) topics.append(registered({ machine: `M-${n}` }));
  const path = indexPath(t);
  const before = pairOn(t, topics, path);
  await before.caughtUp();
  await before.stop();
  // Past the header and the schema: the reader opens it, and only who looks into the rows sees it.
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 4096 * 8);
  writeFileSync(path, bytes);
  const { view, heard, until } = pairOn(t, topics, path);
  await until(() => {
    for (let n = 0; n < 300; n++) view.find(keyOf({ machine: `M-${n}` }));
    return view.progress().caughtUp && view.find(keyOf({ machine: "M-299" })) !== null;
  });
  for (let n = 0; n < 300; n++) assert.equal(view.find(keyOf({ machine: `M-${n}` }))?.state, "registered");
  assert.match(heard.texts.join(), /built again from the topics: it was damaged/);
});

test("a file that another reader has is asked for until it is free, and that is reported once", async (t) => {
  const path = indexPath(t);
  const topics = new MemoryTopics();
  topics.append(registered({ machine: "A" }));
  const other = openEnrollmentIndex({ path, log: topics.log, clock: systemClock });
  assert.ok(other.ok);
  const { view, heard, until } = pairOn(t, topics, path);
  await until(() => heard.texts.length > 0);
  assert.equal(view.hasFailed, true);
  other.index.close();
  await until(() => !view.hasFailed && view.find(keyOf({ machine: "A" })) !== null);
  assert.deepEqual(heard.texts, ["index-busy"]);
});

test("a reader that ended is trouble, what it had read can be asked for, and a hold fails", async (t) => {
  const topics = new MemoryTopics();
  topics.append(registered({ machine: "A" }));
  const { view, caughtUp, stop } = pairOn(t, topics, indexPath(t));
  await caughtUp();
  const held = view.hold(async () => assert.fail("it can't be held"));
  const rejected = assert.rejects(held, /out of memory/);
  await Promise.resolve();
  await Promise.resolve();
  view.readerEnded("out of memory");
  await rejected;
  assert.deepEqual([view.progress().caughtUp, view.progress().trouble], [false, "out of memory"]);
  assert.equal(view.find(keyOf({ machine: "A" }))?.state, "registered");
  await stop();
});
