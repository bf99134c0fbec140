/** The end of a worker: what it waits for, in which order, and for how long. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { virtualTime } from "../../lab/testkit/virtual-time.ts";
import type { Membership, Session } from "../../src/ports.ts";
import { shutDown } from "../../src/registrar/shut-down.ts";

type Step = "finish" | "join" | "leave" | "save";
const session = {} as Session;

/** `hangs`: the steps that never end. Times are milliseconds since the start. */
function given(hangs: readonly Step[] = []) {
  const time = virtualTime();
  const startMs = time.nowMs();
  const steps: [Step, number][] = [];
  const world = {
    time,
    steps,
    idleAtMs: 0,
    looks: 0,
    saving: null as AbortSignal | null,
    endedAtMs: null as number | null,
    finished: null as Session | null,
    begin(drainMs: number, of: Session | null = session): void {
      void shutDown(parts, of, drainMs).then(() => {
        world.endedAtMs = time.nowMs() - startMs;
      });
    },
  };
  const step = <T>(name: Step, value: T): Promise<T> => {
    steps.push([name, time.nowMs() - startMs]);
    return hangs.includes(name) ? new Promise(() => {}) : Promise.resolve(value);
  };
  const membership: Membership = { leave: () => step("leave", undefined) };
  const parts = {
    clock: time,
    flow: {
      isIdle() {
        world.looks++;
        return time.nowMs() - startMs >= world.idleAtMs;
      },
    },
    committer: {
      finish(of: Session) {
        world.finished = of;
        return step("finish", undefined);
      },
    },
    snapshots: {
      saveAll(signal: AbortSignal) {
        world.saving = signal;
        return step("save", null);
      },
    },
    joining: hangs.includes("join") ? new Promise<Membership>(() => {}) : Promise.resolve(membership),
  };
  return world;
}

describe("a worker that stops", () => {
  test("waits for what is in flight, then commits, leaves and saves, each once", async () => {
    const world = given();
    world.idleAtMs = 400;
    world.begin(9_000);
    await world.time.pass(20_000);
    assert.deepEqual(world.steps, [
      ["finish", 400],
      ["leave", 400],
      ["save", 400],
    ]);
    assert.equal(world.finished, session);
    assert.equal(world.endedAtMs, 400);
    assert.ok(world.looks <= 21, "it does not spin");
  });

  test("waits for nothing when nothing is in flight", async () => {
    const world = given();
    world.begin(9_000);
    await world.time.rest();
    assert.equal(world.endedAtMs, 0);
  });

  test("keeps a third of a short time, and three seconds of a long one, for commit, goodbye and snapshots", async () => {
    for (const [drainMs, drainedMs] of [
      [6_000, 4_000],
      [9_000, 6_000],
      [30_000, 27_000],
    ] as const) {
      const world = given();
      world.idleAtMs = Number.POSITIVE_INFINITY;
      world.begin(drainMs);
      await world.time.pass(drainedMs - 1);
      assert.equal(world.steps.length, 0, `${drainMs}`);
      await world.time.pass(20);
      assert.deepEqual(
        world.steps.map(([name]) => name),
        ["finish", "leave", "save"],
        `${drainMs}`,
      );
      assert.ok(world.endedAtMs! >= drainedMs, `${drainMs}`);
    }
  });

  test("commits nothing where it never had a session", async () => {
    const world = given();
    world.begin(9_000, null);
    await world.time.rest();
    assert.deepEqual(
      world.steps.map(([name]) => name),
      ["leave", "save"],
    );
  });
});

describe("a stop ends at its deadline,", () => {
  for (const hanging of ["finish", "join", "leave", "save"] as const)
    test(`though this hangs: ${hanging}`, async () => {
      const world = given([hanging]);
      world.begin(9_000);
      await world.time.pass(8_999);
      assert.equal(world.endedAtMs, null);
      await world.time.pass(1);
      assert.equal(world.endedAtMs, 9_000);
      assert.ok(
        world.steps.some(([name]) => name === "save"),
        "what comes after it is still begun",
      );
    });

  test("and what is still being saved then is given up, not before", async () => {
    const world = given(["save"]);
    world.begin(9_000);
    await world.time.pass(8_999);
    assert.equal(world.saving?.aborted, false);
    await world.time.pass(1);
    assert.equal(world.saving?.aborted, true);
  });
});
