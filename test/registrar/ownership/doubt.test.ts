/** Doubt belongs to an enrollment: wherever a copy of its record stands, it is read back before it is posted. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, objectOf } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many, settings, type World } from "../../../lab/testkit/registrar-world.ts";
import { answers, lost } from "../../../lab/testkit/scripted-graph.ts";
import { park, specify } from "../../../lab/testkit/specification.ts";
import {
  decodeMetadata,
  encodeMetadata,
  type Limits,
} from "../../../src/registrar/ownership/commit-metadata.ts";

const { settleMs, orphanMs } = settings;

interface Before {
  readonly enrolled: readonly [settledThrough: number, attemptedThrough: number];
  readonly retry: readonly [settledThrough: number, attemptedThrough: number];
  readonly limits?: Limits | null;
}

function committedBefore(world: World, { enrolled, retry, limits = null }: Before): void {
  for (const [topic, [offset, attemptedThrough]] of [
    ["enrolled", enrolled],
    ["retry", retry],
  ] as const) {
    const metadata = encodeMetadata({ attemptedThrough, claim: "theirs", limits, known: null });
    world.log.commitBefore({ topic, partition: 0, offset, metadata });
  }
}

/** It was made by the worker before, and stays the only one. */
const foundOnce = { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 0 };
const nothing = { settledThrough: 0, attemptedThrough: 0 };

const limitsOf = (world: World) => decodeMetadata(world.log.committed("enrolled")!.metadata)?.limits;

// INV-DOUBT
describe("a create of unknown outcome makes suspect", () => {
  for (const [what, given] of [
    [
      "a copy of its record in the retry topic, which stands outside the watermark there",
      { enrolled: [{}], parked: [{ copyOf: 0 }], committed: { ...nothing, attemptedThrough: 1 } },
    ],
    [
      "its record in the enrolled topic, when the copy in the retry topic was posted",
      {
        enrolled: [{}],
        parked: [{ copyOf: 0 }],
        committed: { ...nothing, retry: { ...nothing, attemptedThrough: 1 } },
      },
    ],
    [
      "another event of the same enrollment, parked before",
      {
        enrolled: [{}, { event: "told again" }],
        parked: [{ event: "told again", copyOf: 1 }],
        committed: { ...nothing, attemptedThrough: 1 },
      },
    ],
  ] as const)
    test(what, (t) =>
      specify(t, {
        given: { ...given, objects: [{}] },
        async when(world) {
          world.start();
          await world.untilRegistered(1);
          await world.time.pass(60_000);
        },
        expect: foundOnce,
      }),
    );

  test("a copy that is stored late, after the take-over", (t) =>
    specify(t, {
      given: { enrolled: [{}], objects: [{}], committed: { ...nothing, attemptedThrough: 1 } },
      async when(world) {
        world.start();
        await world.time.pass(5_000);
        park(world.log, { copyOf: 0 });
        await world.untilRegistered(1);
        await world.time.pass(60_000);
      },
      expect: foundOnce,
    }));

  test("every copy also after a clean stop of the worker that posted it", async (t) => {
    const world = createWorld(t);
    world.emit({});
    world.graph.script(contoso, { ...lost, creates: true });
    const first = world.start();
    await world.time.until("it was posted", () => world.graph.asked.length > 1);
    // A park of its predecessor that took effect only now.
    park(world.log, { copyOf: 0 });
    await first.stop();
    assert.equal(world.registered().length, 0);
    world.start();
    await world.untilRegistered(1);
    await world.time.pass(120_000);
    assert.equal(world.creates().length, 1);
    assert.equal(world.graph.objects.get(contoso)?.length, 1);
  });

  test("of what is parked only what stands below the watermark there", (t) =>
    specify(t, {
      given: {
        parked: [
          { machine: "A", copyOf: 0 },
          { machine: "B", copyOf: 0 },
        ],
        committed: { ...nothing, retry: { ...nothing, attemptedThrough: 1 } },
      },
      async when(world) {
        world.start();
        await world.time.pass(5_000);
      },
      expect: { objects: ["B"], registered: ["B created"], creates: 1 },
    }));

  test("nothing else: other records of the tenant are processed immediately", (t) =>
    specify(t, {
      given: { enrolled: [{}, ...many(3, contoso, 10)], committed: { ...nothing, attemptedThrough: 1 } },
      async when(world) {
        world.start();
        await world.untilRegistered(3, 1_000);
      },
      expect: {
        objects: ["HOST-10", "HOST-11", "HOST-12"],
        registered: ["HOST-10 created", "HOST-11 created", "HOST-12 created"],
        creates: 3,
      },
    }));
});

test("a copy behind a record that was dead-lettered in doubt is not posted before it is read back", async (t) => {
  const world = createWorld(t);
  world.graph.script(contoso, { ...lost, creates: true });
  for (let n = 0; n < 1_000; n++) world.graph.listScript.push(answers(403).reply);
  world.emit({}, { event: "told again" });
  world.start({ tenantBlockedMaxMs: 3_600_000 });
  await world.time.until("the first is given up", () => world.deadLetters().length > 0, 7_200_000);
  world.graph.listScript.length = 0;
  await world.time.pass(1_200_000);
  assert.equal(world.creates().length, 1);
  assert.equal(world.graph.objects.get(contoso)?.length, 1);
});

// INV-DOUBT
describe("the next owner waits for the limits of the worker that posted", () => {
  const theirs: Limits = { settleMs: 2 * settleMs, orphanMs: 0, isHonoured: false };

  test("not for its own", async (t) => {
    const world = createWorld(t);
    world.emit({});
    committedBefore(world, { enrolled: [0, 1], retry: [0, 0], limits: theirs });
    world.start();
    await world.time.pass(theirs.settleMs - 1_000);
    assert.deepEqual(world.graph.asked, []);
    await world.untilRegistered(1, 60_000);
  });

  test("and hands them on until all that is in doubt is settled", async (t) => {
    const world = createWorld(t);
    world.emit({});
    committedBefore(world, { enrolled: [0, 1], retry: [0, 0], limits: theirs });
    const worker = world.start();
    await world.time.pass(10_000);
    assert.deepEqual(limitsOf(world), { ...theirs, orphanMs });
    worker.crash();
    world.start();
    await world.time.pass(theirs.settleMs - 1_000);
    assert.deepEqual(world.graph.asked, []);
    await world.untilRegistered(1, 120_000);
    await world.time.pass(10_000);
    assert.deepEqual(limitsOf(world), { settleMs, orphanMs, isHonoured: false });
  });
});

describe("a worker that vanished may have left requests to its kernel:", () => {
  const theirs = (isHonoured: boolean): Limits => ({ settleMs, orphanMs, isHonoured });

  test("where ids are ignored, absent counts only when that has surely ended too", async (t) => {
    const world = createWorld(t);
    world.emit({});
    committedBefore(world, { enrolled: [0, 1], retry: [0, 0], limits: theirs(false) });
    world.start();
    await world.time.pass(settleMs + orphanMs - 1_000);
    assert.ok(world.lists().length > 0, "it looks as soon as the living have ended");
    assert.deepEqual(world.creates(), []);
    await world.untilRegistered(1, 60_000);
  });

  test("what is found counts immediately", async (t) => {
    const world = createWorld(t);
    world.emit({});
    committedBefore(world, { enrolled: [0, 1], retry: [0, 0], limits: theirs(false) });
    world.graph.objects.set(contoso, [objectOf({})]);
    world.start();
    await world.untilRegistered(1, settleMs + 2_000);
  });

  test("where Graph honours ids, one read by id is enough", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    world.emit({});
    committedBefore(world, { enrolled: [0, 1], retry: [0, 0], limits: theirs(true) });
    world.start();
    await world.untilRegistered(1, settleMs + 2_000);
    assert.deepEqual(world.lists(), []);
  });

  test("where this worker sends none, that Graph honoured them before does not shorten the wait", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    world.emit({});
    committedBefore(world, { enrolled: [0, 1], retry: [0, 0], limits: theirs(true) });
    world.start({ sendId: false });
    await world.time.pass(settleMs + orphanMs - 1_000);
    assert.deepEqual(world.creates(), []);
    assert.deepEqual(new Set(world.graph.asked.map(({ operation }) => operation)), new Set(["list"]));
    await world.untilRegistered(1, 60_000);
  });

  test("and its limits go with each commit from then on, whatever this worker's own creates come to", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    world.emit({});
    const limits = { ...theirs(true), orphanMs: 20 * orphanMs };
    committedBefore(world, { enrolled: [0, 1], retry: [0, 0], limits });
    world.start();
    await world.untilRegistered(1, settleMs + 2_000);
    world.graph.script(contoso, lost);
    world.emit({ machine: "NEXT" });
    await world.untilRegistered(2);
    assert.equal(world.creates().length, 3);
    await world.time.pass(5_000);
    assert.deepEqual(limitsOf(world), limits);
  });

  test("and that Graph honours ids is written down once it was seen", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    world.emit({});
    world.start();
    await world.untilRegistered(1);
    await world.time.pass(5_000);
    assert.equal(limitsOf(world)?.isHonoured, true);
  });
});
