/** Who has the next request permit among the tenants that wait, and who is announced before. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import { createTenantQueue, type TenantQueue } from "../../../src/registrar/flow/tenant-queue.ts";
import { createWaitingQueues } from "../../../src/registrar/flow/waiting-queues.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);

/** `suspected`: those who just failed. */
function given({ nearMax = 2, isProbed = false, suspected = [] as string[] } = {}) {
  const clock = virtualClock();
  const near: string[] = [];
  const gate = { isProbed, suspected };
  let added = 0;
  const queues = new Map<string, TenantQueue>();
  const queueOf = (name: string): TenantQueue => {
    const queue = queues.get(name) ?? createTenantQueue(name, 0);
    queues.set(name, queue);
    return queue;
  };
  const waiting = createWaitingQueues({
    clock,
    gate: {
      isProbed: () => gate.isProbed,
      isSuspected: (name) => gate.suspected.includes(name),
    },
    onAdded: () => void added++,
    onNear: ({ tenantId }) => void near.push(tenantId),
    nearMax,
  });
  return {
    ...{ clock, near, gate, waiting, queueOf },
    added: () => added,
    add: (...names: string[]) => {
      for (const name of names) waiting.add(queueOf(name));
    },
    next: () => waiting.next()?.tenantId,
    /** All that wait, in turn. */
    all: () => {
      const names: string[] = [];
      for (let queue = waiting.next(); queue !== undefined; queue = waiting.next())
        names.push(queue.tenantId);
      return names;
    },
  };
}

describe("tenants that wait for a request permit", () => {
  test("get it in the order in which they came, each once however often it was added", () => {
    const { add, added, all, next } = given();
    assert.equal(next(), undefined);
    add("a", "b", "a", "b", "c");
    assert.equal(added(), 3);
    assert.deepEqual(all(), ["a", "b", "c"]);
    add("c", "a");
    assert.deepEqual(all(), ["c", "a"]);
    assert.equal(next(), undefined);
  });

  test("may come back as soon as they were taken, behind those that wait", () => {
    const { add, next } = given();
    add("a", "b");
    assert.equal(next(), "a");
    add("a");
    assert.deepEqual([next(), next(), next()], ["b", "a", undefined]);
  });

  test("come back by themselves at a time, and not before though they are added", () => {
    const { clock, waiting, queueOf, add, added, next } = given();
    waiting.addAt(queueOf("a"), clock.nowMs() + 1_000);
    add("a");
    clock.advance(999);
    assert.deepEqual([next(), added()], [undefined, 0]);
    clock.advance(1);
    assert.deepEqual([added(), next()], [1, "a"]);
    waiting.addAt(queueOf("a"), clock.nowMs() - 1_000);
    clock.advance(0);
    assert.equal(next(), "a");
  });

  test("are held while the gate is shut, and come back together when it opens", () => {
    const { waiting, queueOf, add, added, all, next } = given();
    add("a", "b");
    for (const name of ["a", "b"]) {
      assert.equal(next(), name);
      waiting.hold(queueOf(name));
    }
    add("c");
    assert.equal(added(), 3);
    waiting.release();
    assert.equal(added(), 5);
    assert.deepEqual(all(), ["c", "a", "b"]);
  });

  test("keep their order and lose nobody, however many thousands were taken before", () => {
    const { add, all, near, next } = given({ nearMax: 3 });
    const names = numbered(2_600);
    add(...names);
    const first = names.slice(0, 1_500).map(next);
    add("late");
    assert.deepEqual([...first, ...all()], [...names, "late"]);
    assert.deepEqual(near, [...names, "late"]);
  });
});

describe("while Graph is probed", () => {
  test("what a turn costs does not grow with the number of those who had theirs, if the line never ends", () => {
    const { waiting } = given({ isProbed: true });
    let looks = 0;
    const counted = (name: string) =>
      Object.defineProperty(createTenantQueue(name, 0), "tenantId", {
        get() {
          looks++;
          return name;
        },
      });
    waiting.add(counted("first"));
    for (const name of numbered(5_000)) {
      waiting.add(counted(name));
      looks = 0;
      waiting.next();
      assert.ok(looks < 1_100, `${looks} looks`);
    }
  });

  test("those who did not just fail go first, in their order, and the others after them in theirs", () => {
    const { add, all } = given({ isProbed: true, suspected: ["a", "c"] });
    add("a", "b", "c", "d");
    assert.deepEqual(all(), ["b", "d", "a", "c"]);
  });

  test("who was taken before does not count", () => {
    const { add, gate, next } = given();
    add("taken", "a", "b");
    assert.equal(next(), "taken");
    Object.assign(gate, { isProbed: true, suspected: ["a"] });
    assert.deepEqual([next(), next()], ["b", "a"]);
  });

  test("who failed before keeps its turn once that is over", () => {
    const { add, all } = given({ suspected: ["a"] });
    add("a", "b");
    assert.deepEqual(all(), ["a", "b"]);
  });
});

describe("who comes near the front is announced once", () => {
  test("so many at a time, and the next with each one that is taken", () => {
    const { add, near, next, all } = given({ nearMax: 2 });
    add("a", "b", "c", "d");
    assert.deepEqual(near, ["a", "b"]);
    next();
    assert.deepEqual(near, ["a", "b", "c"]);
    all();
    assert.deepEqual(near, ["a", "b", "c", "d"]);
    add("e", "f", "g");
    assert.deepEqual(near, ["a", "b", "c", "d", "e", "f"]);
  });

  test("also while those who did not just fail pass others", () => {
    const { add, near, next } = given({ nearMax: 2, isProbed: true, suspected: ["a"] });
    add("a", "b", "c", "d");
    assert.equal(next(), "b");
    assert.deepEqual(near, ["a", "b"]);
    add("e");
    assert.deepEqual(near, ["a", "b", "c"]);
    assert.deepEqual([next(), next()], ["c", "d"]);
    assert.equal(next(), "e");
    assert.equal(next(), "a");
    assert.equal(new Set(near).size, near.length);
  });

  test("who passes before it came near is not announced in another's place", () => {
    const { add, near, next } = given({ nearMax: 1, isProbed: true, suspected: ["a"] });
    add("a", "b", "c");
    assert.equal(next(), "b");
    add("d");
    assert.deepEqual(near, ["a"]);
  });

  test("and while none is suspected, as at other times", () => {
    const { add, near, next } = given({ nearMax: 2, isProbed: true });
    add("a", "b", "c");
    assert.equal(next(), "a");
    assert.deepEqual(near, ["a", "b", "c"]);
  });
});
