/** When what failed is tried again, alone: one append at a time, after its back-off, in order, and no timer stays behind. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Topic } from "../../../src/ports.ts";
import {
  createTroubledPlaces,
  type Entry,
  type Leftover,
  type Sorted,
} from "../../../src/registrar/flow/troubled-places.ts";

const utf8 = new TextEncoder();
const nameOf = ({ record }: Entry) => new TextDecoder().decode(record.value!);
const rest = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Chance is 0.5, so the first back-off is 100 ms, and the next 200. */
function given() {
  const clock = virtualClock();
  const events: RegistrarEvent[] = [];
  const sent: string[][] = [];
  const dropped: string[] = [];
  const answers: ((leftover: Leftover) => void)[] = [];
  const may = new Map<string, ReturnType<Entry["mayPublish"]>>();
  const sort = (entries: readonly Entry[]): Sorted => {
    const of = (answer: string) => entries.filter((entry) => entry.mayPublish() === answer);
    return { send: of("yes"), keep: of("wait"), gone: of("no") };
  };
  const places = createTroubledPlaces({
    ...{ clock, random: () => 0.5, observe: (event) => void events.push(event), sort },
    drop: ({ gone }) => void dropped.push(...gone.map(nameOf)),
    send(entries) {
      sent.push(entries.map(nameOf));
      return new Promise((resolve) => void answers.push(resolve));
    },
  });
  const entry = (name: string, topic: Topic = "dlq", key = name): Entry => ({
    record: { topic, partition: 0, key: utf8.encode(key), value: utf8.encode(name), headers: [] },
    mayPublish: () => may.get(name) ?? "yes",
    done: () => {},
  });
  return {
    ...{ clock, events, sent, dropped, may, places, entry },
    /** Of the append that is under way. */
    async answer(left: readonly Entry[] = [], reason: string | null = left.length === 0 ? null : "refused") {
      answers.shift()!({ left, reason });
      await rest();
    },
  };
}

describe("what failed", () => {
  test("is not tried before its back-off is over, however often it is woken", async () => {
    const { clock, sent, places, entry, answer } = given();
    const one = entry("a");
    places.add([one], "refused");
    clock.advance(99);
    places.wake();
    assert.deepEqual(sent, []);
    clock.advance(1);
    assert.deepEqual(sent, [["a"]]);
    await answer([one]);
    clock.advance(199);
    places.wake();
    assert.equal(sent.length, 1);
    clock.advance(1);
    assert.equal(sent.length, 2);
  });

  test("is tried by one append at a time; what comes for it meanwhile goes with the next, in the order in which it came", async () => {
    const { clock, sent, places, entry, answer } = given();
    places.add([entry("a")], "refused");
    clock.advance(100);
    for (const name of ["b", "c", "d"]) assert.equal(places.take(entry(name)), true);
    places.wake();
    assert.deepEqual(sent, [["a"]]);
    await answer();
    assert.deepEqual(sent, [["a"], ["b", "c", "d"]]);
    await answer();
    assert.deepEqual([places.waiting(), clock.pendingTimers], [0, 0]);
    assert.equal(places.take(entry("e")), false);
  });

  test("begins with a short back-off again after anything was stored", async () => {
    const { clock, events, places, entry, answer } = given();
    const [a, b] = [entry("a"), entry("b", "registered")];
    places.add([a, b], "refused");
    clock.advance(100);
    await answer();
    await answer([b]);
    const waits = events.flatMap((event) => (event.kind === "log-failed" ? event.retryInMs : []));
    assert.deepEqual(waits, [100, 100]);
  });

  test("is waited for by one timer, and by none once all is stored", async () => {
    const { clock, places, entry, answer, sent } = given();
    places.add([entry("a")], "refused");
    places.add([entry("b")], "refused");
    assert.equal(clock.pendingTimers, 1);
    clock.advance(200);
    await answer();
    assert.deepEqual([sent, clock.pendingTimers], [[["a", "b"]], 0]);
    places.wake();
    assert.equal(clock.pendingTimers, 0);
  });

  test("and was stored all the same, as was reported, is forgotten, and the rest is tried", async () => {
    const { clock, sent, places, entry, answer, events } = given();
    places.add([entry("a"), entry("b", "registered")], "refused");
    clock.advance(100);
    await answer([], "the connection broke");
    assert.equal(events.length, 2);
    clock.advance(200);
    assert.deepEqual(sent, [["a"], ["b"]]);
    await answer();
    assert.deepEqual([places.waiting(), clock.pendingTimers], [0, 0]);
  });
});

describe("what may not be published", () => {
  test("yet is looked at again after a while, or when it is woken, and nothing is sent before", async () => {
    const { clock, sent, places, entry, may, answer } = given();
    may.set("a", "wait");
    places.add([entry("a")], "refused");
    clock.advance(100);
    await rest();
    assert.equal(clock.pendingTimers, 1);
    clock.advance(100);
    places.wake();
    await rest();
    assert.deepEqual([sent, clock.pendingTimers], [[], 1]);
    may.set("a", "yes");
    clock.advance(249);
    assert.deepEqual(sent, []);
    clock.advance(1);
    assert.deepEqual(sent, [["a"]]);
    await answer();
    assert.equal(clock.pendingTimers, 0);
  });

  test("yet, and may be when it is woken, is not looked at once more", async () => {
    const { clock, sent, places, entry, may, answer } = given();
    may.set("a", "wait");
    places.add([entry("a")], "refused");
    clock.advance(100);
    await rest();
    may.set("a", "yes");
    places.wake();
    await answer();
    assert.deepEqual([sent, clock.pendingTimers], [[["a"]], 0]);
  });

  test("by this worker any more is dropped, and holds up nothing that comes for the same partition", async () => {
    const { clock, sent, dropped, places, entry, may } = given();
    may.set("a", "no");
    places.add([entry("a")], "refused");
    clock.advance(100);
    await rest();
    assert.deepEqual([dropped, sent, clock.pendingTimers], [["a"], [], 0]);
    assert.equal(places.take(entry("b")), false);
  });
});

// INV-ORDER
for (const topic of ["enrolled", "retry"] as const)
  test(`in the ${topic} topic, what shares the key of what failed goes behind the others with it`, async () => {
    const { clock, sent, places, entry, answer } = given();
    const [one, two, other] = [entry("1", topic, "a"), entry("2", topic, "a"), entry("3", topic, "b")];
    places.add([one, two, other], "refused");
    clock.advance(100);
    await answer([one, two, other]);
    clock.advance(200);
    assert.deepEqual(sent, [
      ["1", "2", "3"],
      ["3", "1", "2"],
    ]);
  });

test("outcomes have no order among themselves: only what failed goes behind the others", async () => {
  const { clock, sent, places, entry, answer } = given();
  const [one, two, other] = [entry("1", "dlq", "a"), entry("2", "dlq", "a"), entry("3", "dlq", "b")];
  places.add([one, two, other], "refused");
  clock.advance(100);
  await answer([one, two, other]);
  clock.advance(200);
  assert.deepEqual(sent.at(-1), ["2", "3", "1"]);
});
