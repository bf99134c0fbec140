/** Graph does not answer, or something in between answers for it: what is asked meanwhile, and what becomes of the records. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, fabrikam, tailspin } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../../lab/testkit/registrar-world.ts";
import {
  answers,
  connectionRefused,
  lost,
  lostAfterCreating,
  type Step,
  silence,
} from "../../../lab/testkit/scripted-graph.ts";
import type { GraphReply, ListReply } from "../../../src/graph-port.ts";

const sizes = (posts: readonly { readonly items: readonly unknown[] }[]) =>
  posts.map(({ items }) => items.length);

describe("an outage of Graph", () => {
  test("opens the breaker: one probe at a time, nothing dead-lettered, and it closes with the first good answer", async (t) => {
    const world = createWorld(t);
    for (const tenant of [contoso, fabrikam, tailspin]) {
      world.graph.always(tenant, connectionRefused);
      world.emit(...many(20, tenant));
    }
    const worker = world.start({ maxAttempts: 2 });
    await world.time.until("it opens", () => worker.seen("breaker-opened").length === 1, 60_000);
    await world.time.pass(1_000);
    const before = world.creates().length;
    const openedAtMs = world.time.nowMs();
    await world.time.pass(1_800_000);
    const probes = world.creates().slice(before);
    assert.deepEqual(new Set(sizes(probes)), new Set([1]));
    assert.ok(probes.length > 40 && probes.length < 300, `${probes.length} probes in half an hour`);
    for (const [n, { atMs }] of probes.entries())
      assert.ok(n === 0 || atMs - probes[n - 1]!.atMs >= world.graph.latencyMs, "two probes at a time");
    assert.ok(openedAtMs > 0 && worker.registrar.status().notReady[0]?.startsWith("graph:"));
    assert.deepEqual(worker.seen("breaker-opened").length, 1);

    for (const tenant of [contoso, fabrikam, tailspin]) world.graph.always(tenant, null);
    await world.untilRegistered(60, 60_000);
    assert.equal(worker.seen("breaker-closed").length, 1);
    assert.deepEqual(world.deadLetters(), []);
    assert.equal(worker.registrar.status().ready, true);
  });

  test("a list that is well while creates wait does not end it", async (t) => {
    const world = createWorld(t);
    const worker = world.start();
    world.graph.script(contoso, lost);
    world.emit({ tenant: contoso });
    await world.time.until("it is in doubt", () => world.lists().length > 0);
    const down = [fabrikam, tailspin, "44444444-4444-4444-8444-444444444444"];
    for (const tenant of down) {
      world.graph.always(tenant, connectionRefused);
      world.emit(...many(20, tenant));
    }
    await world.time.until("it opens", () => worker.seen("breaker-opened").length === 1, 60_000);
    const listed = world.lists().length;
    await world.time.until("it is listed again", () => world.lists().length > listed + 1, 3_600_000);
    assert.deepEqual(worker.seen("breaker-closed"), []);
  });

  test("a list that is well when no create waits ends it", async (t) => {
    const world = createWorld(t);
    const tenants = [contoso, fabrikam, tailspin];
    for (const tenant of tenants) world.graph.script(tenant, lostAfterCreating);
    for (let n = 0; n < 12; n++) world.graph.listScript.push(answers(503).reply);
    for (const tenant of tenants) world.emit({ tenant });
    const worker = world.start();
    await world.untilRegistered(3);
    assert.deepEqual(
      [worker.seen("breaker-opened").length, worker.seen("breaker-closed").length, world.creates().length],
      [1, 1, 3],
    );
  });

  test("its first probe goes to a tenant that has not failed yet, if one waits", async (t) => {
    const world = createWorld(t);
    for (const tenant of [contoso, fabrikam, tailspin]) {
      world.graph.always(tenant, connectionRefused);
      world.emit(...many(20, tenant));
    }
    const worker = world.start();
    await world.time.until("it opens", () => worker.seen("breaker-opened").length === 1, 60_000);
    // What is under way is answered before the first probe goes.
    await world.time.pass(100);
    const before = world.creates().length;
    const other = "44444444-4444-4444-8444-444444444444";
    world.emit({ tenant: other });
    await world.time.until("it is probed", () => world.creates().length > before);
    assert.equal(world.creates()[before]?.tenantId, other);
  });

  for (const [name, step] of [
    ["connections are reset", lost],
    ["nothing is answered", { reply: silence("timeout", true), delayMs: 8_000 }],
    ["503 for all", answers(503)],
  ] as const)
    for (const [ids, count] of [
      ["honoured", 1],
      ["ignored", 1],
      ["ignored", 1_000],
    ] as const)
      test(`is seen within 30 s: ${name}, ids ${ids}, ${count} waiting`, async (t) => {
        const world = createWorld(t);
        world.graph.ids = ids;
        world.emit({ machine: "SHOWS-IT" });
        const worker = world.start({ requestTimeoutMs: 8_000, windowRecords: 2_000 });
        await world.untilRegistered(1);
        world.graph.always(contoso, step);
        const { list, get } = world.graph;
        const down = async <T>(): Promise<T> => {
          await new Promise<void>((resolve) => world.time.after(step.delayMs ?? 20, resolve));
          return step.reply as T;
        };
        Object.assign(world.graph, { list: () => down<ListReply>(), get: () => down<GraphReply>() });
        const sinceMs = world.time.nowMs();
        world.emit(...many(count, contoso));
        await world.time.until("it opens", () => worker.seen("breaker-opened").length === 1, 30_000);
        assert.ok(worker.registrar.status().notReady[0]?.startsWith("graph:"));
        assert.ok(worker.seen("attempt-failed").length > 0 && world.time.nowMs() - sinceMs <= 30_000);
        Object.assign(world.graph, { list, get });
        world.graph.always(contoso, null);
        await world.untilRegistered(count + 1, 600_000);
        assert.equal(worker.registrar.status().ready, true);
        assert.equal(world.graph.objects.get(contoso)?.length, count + 1);
      });

  test("503 where Graph takes our ids: posted again with back-off, after Retry-After if it is given, without reading back", async (t) => {
    const world = createWorld(t);
    world.graph.ids = "honoured";
    world.emit({ machine: "SHOWS-IT" });
    world.start();
    await world.untilRegistered(1);
    world.graph.script(contoso, ...Array.from({ length: 6 }, () => answers(503)), {
      ...answers(503, { retryAfter: "20" }),
      creates: true,
    });
    world.emit({});
    await world.untilRegistered(2);
    const times = world.creates().map(({ atMs }) => atMs);
    assert.equal(times.length, 9);
    const backingOffMs = times[7]! - times[1]!;
    assert.ok(backingOffMs > 2_000 && backingOffMs < 80_000, `${backingOffMs} ms`);
    assert.ok(times[8]! - times[7]! >= 20_000);
    assert.deepEqual(world.lists(), []);
    assert.equal(world.graph.objects.get(contoso)?.length, 2);
    assert.equal(world.registered()[1]?.data.outcome, "recovered");
  });

  for (const status of [423, 503, 509, 302])
    test(`${status} where Graph ignores our ids: the object that was made all the same is found, and nothing is posted again`, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, { ...answers(status, { retryAfter: "20" }), creates: true });
      world.emit({});
      world.start();
      await world.untilRegistered(1);
      assert.equal(world.creates().length, 1);
      assert.equal(world.graph.objects.get(contoso)?.length, 1);
      assert.ok(world.lists()[0]!.atMs >= world.creates()[0]!.atMs + 20_000);
    });

  // INV-ATTEMPTS
  test("503 to a record spends no attempt, even if repeated, also while others of its tenant succeed", async (t) => {
    const world = createWorld(t);
    world.graph.always("BAD", answers(503));
    world.emit({ machine: "BAD" });
    world.start({ maxAttempts: 2 });
    for (let n = 0; n < 10; n++) {
      world.emit({ machine: `GOOD-${n}` });
      await world.untilRegistered(n + 1);
      await world.time.pass(120_000);
    }
    assert.deepEqual(world.deadLetters(), []);
    world.graph.always("BAD", null);
    await world.untilRegistered(11);
  });

  test("lists are no way around it: while it lasts they go one at a time, as probes", async (t) => {
    const world = createWorld(t);
    const tenants = [contoso, fabrikam, tailspin];
    for (const tenant of tenants) {
      world.graph.always(tenant, answers(503));
      world.emit(...many(40, tenant));
    }
    const down = answers(503).reply;
    for (let n = 0; n < 5_000; n++) world.graph.listScript.push(down);
    const worker = world.start();
    await world.time.until("it opens", () => worker.seen("breaker-opened").length === 1, 60_000);
    await world.time.pass(1_000);
    const before = world.graph.asked.length;
    await world.time.pass(1_800_000);
    const asked = world.graph.asked.slice(before);
    assert.ok(asked.length > 40 && asked.length < 300, `${asked.length} requests in half an hour`);
    assert.deepEqual(new Set(asked.map(({ items }) => items.length)), new Set([0, 1]));
    for (const operation of ["create", "list"])
      assert.ok(
        asked.filter((one) => one.operation === operation).length > 5,
        `${operation}s have their turn`,
      );
    assert.deepEqual(world.deadLetters(), []);
    world.graph.listScript.length = 0;
    for (const tenant of tenants) world.graph.always(tenant, null);
    await world.untilRegistered(120);
    for (const tenant of tenants) assert.equal(world.graph.objects.get(tenant)?.length, 40);
  });

  describe("where the next create tells what became of the last one", () => {
    async function afterHonouring(t: Parameters<typeof createWorld>[0], ...steps: readonly Step[]) {
      const world = createWorld(t);
      world.graph.ids = "honoured";
      world.emit({ machine: "SHOWS-IT" });
      const worker = world.start();
      await world.untilRegistered(1);
      world.graph.script(contoso, ...steps);
      world.emit({});
      return { world, worker };
    }
    const made = { ...answers(503), creates: true };

    test("a later 429 does not say that nothing was made: a clean stop keeps it suspect", async (t) => {
      const { world, worker } = await afterHonouring(t, made, answers(429, { retryAfter: "600" }));
      await world.time.until("throttled", () => world.creates().length === 3, 60_000);
      await world.time.pass(1_000);
      await worker.stop();
      assert.equal(world.attemptedThrough(), 2);
    });

    for (const [given, later] of [
      ["the next create is not sent", []],
      [
        "the next create was refused for its number",
        [{ ...answers(429, { retryAfter: "20" }), delayMs: 5_000 }],
      ],
    ] as const)
      test(`${given}, and Graph honours ids no more: it is read back instead`, async (t) => {
        const first = { ...answers(503, { retryAfter: later.length === 0 ? "20" : "1" }), creates: true };
        const { world } = await afterHonouring(t, first, ...later);
        await world.time.until(
          "all that was told is under way",
          () => world.creates().length === 2 + later.length,
        );
        world.graph.ids = "ignored";
        world.emit({ tenant: fabrikam });
        await world.untilRegistered(3);
        await world.time.pass(60_000);
        assert.equal(world.creates(contoso).length, 2 + later.length);
        assert.equal(world.graph.objects.get(contoso)?.length, 2);
      });

    test("a later refusal dead-letters nothing that was made: it is read back first", async (t) => {
      const { world } = await afterHonouring(t, made, answers(400));
      await world.untilRegistered(2);
      assert.equal(world.registered()[1]?.data.outcome, "recovered");
      assert.deepEqual(world.deadLetters(), []);
    });

    test("nothing was made, and it is refused: dead-lettered once that is certain", async (t) => {
      const { world } = await afterHonouring(t, answers(503), answers(400), answers(400));
      await world.time.until("dead-lettered", () => world.deadLetters().length === 1);
      assert.deepEqual(world.deadLetters(), ["graph-400 enrolled/0/1"]);
      assert.equal(world.graph.objects.get(contoso)?.length, 1);
    });
  });
});
