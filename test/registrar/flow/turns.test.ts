/** Records get their turn one after the other, in a lane of any length, and are told what is known by then. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import type { Session } from "../../../src/ports.ts";
import type { LifeEvent } from "../../../src/registrar/flow/life-events.ts";
import { createTurns } from "../../../src/registrar/flow/turns.ts";
import { remember } from "../../../src/registrar/ledger/ledger.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { knownToHonourIds, known as knownToIgnoreIds, ownDoubt } from "../life.ts";

/** `known`: what Graph has shown; null: that must not be asked. */
function given(known: typeof knownToHonourIds | null = null) {
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const workAt = (offset: number) =>
    ({
      ...{ partition, topic: "enrolled", idempotencyKey: `key ${offset}` },
      ...{ slot: { offset }, record: { topic: "enrolled", offset }, enrollment: { tenantId: "tenant" } },
    }) as unknown as Work;
  const events: LifeEvent[] = [];
  const onRaise = { call: (_work: Work, _event: LifeEvent) => {} };
  const turns = createTurns({
    settings,
    shown: {
      of: () => (known === null ? assert.fail("nothing was said to be honoured") : { known }),
    } as never,
    raise(work, event) {
      events.push(event);
      onRaise.call(work as Work, event);
    },
  });
  return { partition, workAt, events, onRaise, turns };
}

test("a record that leaves its lane at its turn has left before the next one gets its turn, also in a second lane later", () => {
  const { workAt, onRaise, turns } = given();
  const lane: Work[] = [];
  const seen: string[] = [];
  onRaise.call = (work, event) => {
    seen.push(`${event.kind} ${work.slot.offset}`);
    const next = lane.shift();
    if (next !== undefined) turns.goOnWith(next);
    seen.push(`left ${work.slot.offset}`);
  };
  lane.push(workAt(2), workAt(3));
  turns.goOnWith(workAt(1));
  turns.goOnWith(workAt(4));
  assert.deepEqual(
    seen,
    [1, 2, 3, 4].flatMap((offset) => [`first ${offset}`, `left ${offset}`]),
  );
});

test("heads of several lanes get their turn in the order in which the records before them left", () => {
  const { workAt, onRaise, turns } = given();
  const seen: number[] = [];
  onRaise.call = ({ slot: { offset } }) => {
    seen.push(offset);
    if (offset === 1) for (const next of [2, 3, 4]) turns.goOnWith(workAt(next));
  };
  turns.goOnWith(workAt(1));
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

test("all that waited get their turn once; who must wait for the same thing again waits for the next time", () => {
  const { workAt, onRaise, turns } = given();
  const seen: number[] = [];
  const waiting = new Set([workAt(1), workAt(2)]);
  onRaise.call = (work) => {
    seen.push(work.slot.offset);
    if (work.slot.offset === 1) waiting.add(work);
  };
  turns.takeAll(waiting, "promised");
  assert.deepEqual(seen, [1, 2]);
  turns.takeAll(waiting, "promised");
  assert.deepEqual(seen, [1, 2, 1]);
});

describe("at its turn a record is told", () => {
  const told = ({ turns, events }: ReturnType<typeof given>, work: Work, isKnown?: false) => {
    turns.take(work, "first", isKnown);
    const event = events.at(-1)!;
    assert.ok(event.kind === "first");
    return event;
  };

  test("whether its enrollment is registered or in doubt by now", () => {
    const at = given();
    assert.deepEqual([told(at, at.workAt(1)).isRegistered, told(at, at.workAt(1)).doubt], [false, null]);
    remember(at.partition.ledger, "key 1", "object");
    at.partition.doubts.set("key 1", ownDoubt);
    assert.deepEqual([told(at, at.workAt(1)).isRegistered, told(at, at.workAt(1)).doubt], [true, ownDoubt]);
    assert.equal(told(at, at.workAt(2)).isRegistered, false);
  });

  // INV-WATERMARK
  test("that it is promised only below what commits promise", () => {
    const at = given();
    at.partition.window.attemptedThrough = 3;
    assert.deepEqual(
      [2, 3, 4].map((offset) => told(at, at.workAt(offset)).isPromised),
      [true, false, false],
    );
  });

  // INV-DOUBT
  for (const [cloud, known, isPromised] of [
    ["has shown that", knownToHonourIds, true],
    ["has not shown that", knownToIgnoreIds, false],
  ] as const)
    test(`that it is ${isPromised ? "" : "not "}promised by commits that say that ids are honoured, where its cloud ${cloud}`, () => {
      const at = given(known);
      at.partition.window.attemptedThrough = 3;
      assert.equal(told(at, at.workAt(1)).isPromised, true, "no commit says so");
      at.partition.saysHonoured.add("enrolled");
      assert.equal(told(at, at.workAt(1)).isPromised, isPromised);
    });
});
