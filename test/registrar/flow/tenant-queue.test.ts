/** One tenant's queue: who is taken off it, and what answers say about the tenant. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { objectOf } from "../../../lab/testkit/enrollments.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Verdict } from "../../../src/policy/classify.ts";
import { available, take } from "../../../src/policy/pacing.ts";
import {
  blockedForMs,
  blockTenant,
  createTenantQueue,
  firstReady,
  isBlocked,
  isInTrouble,
  takeIn,
  takeReady,
  unblockTenant,
} from "../../../src/registrar/flow/tenant-queue.ts";
import type { Stage } from "../../../src/registrar/intake/stage.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";

const work = (name: string, at: Stage["at"], goesAlone = false) =>
  ({ lane: name, stage: { at, past: { goesAlone } } }) as unknown as Work;

/** Two that no longer wait (one parked, one whose partition was lost) before each of those that still do. */
function queueOf(...names: string[]) {
  const queue = createTenantQueue("tenant", 100);
  for (const name of names) {
    const goesAlone = name.endsWith("alone");
    queue.ready.push(
      work(`${name} parked`, "parking"),
      work(`${name} lost`, "lost"),
      work(name, "ready", goesAlone),
    );
  }
  return queue;
}
const names = (works: readonly Work[]) => works.map(({ lane }) => lane);

test("the first that still waits stands in front, and those before it are forgotten", () => {
  const queue = queueOf("a", "b");
  assert.equal(firstReady(queue)?.lane, "a");
  assert.equal(firstReady(queue)?.lane, "a");
  assert.deepEqual(names(queue.ready), ["a", "b parked", "b lost", "b"]);
  const gone = createTenantQueue("tenant", 100);
  gone.ready.push(work("parked", "parking"));
  assert.equal(firstReady(gone), undefined);
  assert.equal(gone.ready.length, 0);
});

test("as many as were asked for are taken off the front, in order, and none that has left", () => {
  const queue = queueOf("a", "b", "c");
  assert.deepEqual(names(takeReady(queue, 2)), ["a", "b"]);
  assert.deepEqual(names(queue.ready), ["c parked", "c lost", "c"]);
  assert.deepEqual(names(takeReady(queue, 2)), ["c"]);
  assert.equal(queue.ready.length, 0);
});

test("one that goes alone is taken alone, wherever it stands", () => {
  const queue = queueOf("a", "b", "c alone", "d");
  assert.deepEqual(names(takeReady(queue, 10)), ["a", "b"]);
  assert.deepEqual(names(takeReady(queue, 10)), ["c alone"]);
  assert.deepEqual(names(takeReady(queue, 10)), ["d"]);
});

const created: Verdict = { kind: "created", object: objectOf({}) };
const failed = (afterMs: number | null = null): Verdict => ({
  kind: "unknown",
  cause: "failure",
  afterMs,
  detail: "",
});
const throttled = (afterMs: number | null): Verdict => ({ kind: "throttled", afterMs, detail: "" });
const refused: Verdict = { kind: "tenant-blocked", detail: "403" };
const conflict: Verdict = { kind: "conflict", detail: "409" };

/** A queue whose exchanges are answered immediately. `chance`: what every random number is. */
function answeredQueue({ writesPer20s = 0, chance = 0 } = {}) {
  const time = virtualTime();
  const events: RegistrarEvent[] = [];
  const queue = createTenantQueue("tenant", writesPer20s);
  const ports = {
    clock: time,
    random: () => chance,
    observe: (event: RegistrarEvent) => void events.push(event),
  };
  return {
    time,
    queue,
    ports,
    kinds: () => events.map(({ kind }) => kind),
    /** One exchange; `served`: creates of all tenants before it. */
    answer(verdicts: readonly Verdict[], served = 0) {
      const taken = take(queue.pacing, verdicts.length, time.nowMs());
      takeIn(queue, { verdicts, taken, served }, ports);
    },
    closedForMs: () => queue.pacing.closedUntilMs - time.nowMs(),
  };
}

describe("how long a queue has been failing", () => {
  const minuteMs = 60_000;

  test("only time in which others were served counts, and a create that succeeds ends it", async () => {
    const { time, queue, answer } = answeredQueue();
    answer([failed()], 7);
    await time.pass(minuteMs);
    answer([failed()], 7);
    assert.equal(queue.failing?.forMs, 0);
    await time.pass(minuteMs);
    // What came with it says nothing either way.
    answer([failed(), conflict], 8);
    assert.equal(queue.failing?.forMs, minuteMs);
    answer([created, failed()], 9);
    assert.equal(queue.failing, null);
  });

  test("what is refused, throttled or blocked has not failed", () => {
    const { queue, answer } = answeredQueue();
    for (const verdict of [conflict, throttled(null), refused]) answer([verdict]);
    assert.equal(queue.failing, null);
  });
});

describe("a queue that is blocked", () => {
  test("is asked again between 2.5 s after the first refusal and ever later; several records are one refusal", async () => {
    const waitsMs: number[] = [];
    for (const chance of [0, 1]) {
      const { time, answer, closedForMs } = answeredQueue({ chance });
      for (let n = 0; n < 3; n++) {
        answer([refused, refused, refused]);
        waitsMs.push(closedForMs());
        await time.pass(closedForMs());
      }
    }
    assert.deepEqual(waitsMs, [2_500, 2_500, 2_500, 12_500, 22_500, 42_500]);
  });

  test("is blocked since its first refusal, also while it was closed for another reason", async () => {
    const { time, queue, answer, kinds } = answeredQueue();
    answer([throttled(60_000)]);
    answer([refused]);
    assert.ok(isBlocked(queue) && isInTrouble(queue));
    await time.pass(61_000);
    answer([refused]);
    assert.equal(blockedForMs(queue, time.nowMs()), 61_000);
    assert.deepEqual(kinds(), ["tenant-blocked"]);
  });

  test("stays so until creates and reads are both answered well, and that is reported once", async () => {
    const { time, queue, answer, kinds, ports } = answeredQueue();
    answer([refused]);
    await time.pass(10_000);
    blockTenant(queue, { refused: "reads", detail: "403" }, ports);
    unblockTenant(queue, "creates", ports);
    assert.ok(isBlocked(queue));
    assert.equal(blockedForMs(queue, time.nowMs()), 0, "its reads are refused only since now");
    assert.deepEqual(kinds(), ["tenant-blocked"]);
    unblockTenant(queue, "reads", ports);
    assert.deepEqual([isBlocked(queue), kinds()], [false, ["tenant-blocked", "tenant-unblocked"]]);
    unblockTenant(queue, "reads", ports);
    assert.equal(kinds().length, 2);
  });

  test("is served again with its next create that succeeds", () => {
    const { queue, answer, kinds } = answeredQueue();
    answer([refused]);
    assert.deepEqual([isInTrouble(queue), kinds()], [true, ["tenant-blocked"]]);
    answer([created, created, conflict]);
    assert.deepEqual([isInTrouble(queue), queue.creates], [false, 2]);
    assert.deepEqual(kinds(), ["tenant-blocked", "tenant-unblocked"]);
  });
});

describe("a queue is closed", () => {
  test("for as long as an outage's Retry-After says, and not where it says nothing", () => {
    const { queue, answer, closedForMs, time } = answeredQueue();
    answer([failed(null)]);
    assert.equal(available(queue.pacing, time.nowMs()), Number.POSITIVE_INFINITY);
    answer([failed(20_000)]);
    assert.equal(closedForMs(), 20_000);
  });

  test("for the longest Retry-After of the throttled records; a record without one adds no wait", () => {
    const { answer, closedForMs } = answeredQueue({ chance: 1 });
    answer([throttled(2_000), throttled(7_000), throttled(null)]);
    assert.equal(closedForMs(), 7_000);
  });

  test("for a growing time where there was no Retry-After", () => {
    const { queue, answer, closedForMs } = answeredQueue({ chance: 1 });
    const waits = [1, 2, 3].map(() => {
      answer([throttled(null)]);
      return closedForMs();
    });
    assert.deepEqual(waits, [1_000, 2_000, 4_000]);
    assert.ok(isInTrouble(queue));
    answer([created]);
    assert.ok(!isInTrouble(queue));
  });
});

describe("an unknown limit", () => {
  const accepted = Array.from({ length: 30 }, () => created);

  test("is what was accepted before the third exchange in a row that was refused without a time", () => {
    const { queue, answer } = answeredQueue({ writesPer20s: 100 });
    answer(accepted);
    for (let n = 0; n < 2; n++) answer([throttled(null), throttled(null)]);
    assert.equal(queue.pacing.limit, 100);
    answer([throttled(null), throttled(null)]);
    assert.equal(queue.pacing.limit, 30);
  });

  test("is not learned where Graph said how long to wait, if only to one record", () => {
    const { queue, answer } = answeredQueue({ writesPer20s: 100 });
    answer(accepted);
    for (let n = 0; n < 5; n++) answer([throttled(1_000), throttled(null)]);
    assert.equal(queue.pacing.limit, 100);
  });
});
