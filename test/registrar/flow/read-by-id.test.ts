/** Reads of single objects: what their answers say, who waits, and who is not asked for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, objectOf } from "../../../lab/testkit/enrollments.ts";
import { answers, silence } from "../../../lab/testkit/scripted-graph.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { GraphReply } from "../../../src/graph-port.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import type { LifeEvent } from "../../../src/registrar/flow/life-events.ts";
import { createReadById, healthOfRead } from "../../../src/registrar/flow/read-by-id.ts";
import type { Stage } from "../../../src/registrar/intake/stage.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { inheritedDoubt, known, knownToHonourIds, ownDoubt, stageOf } from "../life.ts";

const rest = () => new Promise<void>((resolve) => setImmediate(resolve));
const missing = answers(404).reply;

/** `opensAtMs`: of the gate, by tenant. */
function given({ isTraced = false } = {}) {
  const clock = virtualClock();
  const asked: string[] = [];
  const replies: ((reply: GraphReply) => void)[] = [];
  const events: RegistrarEvent[] = [];
  const raised: (LifeEvent & { readonly key: string })[] = [];
  const gate: string[] = [];
  const traced: unknown[] = [];
  const opensAtMs = new Map<string, number>();
  const wakers: ((tenantId: string) => void)[] = [];
  const shown = { known };
  const ports = {
    clock,
    observe: (event: RegistrarEvent) => void events.push(event),
    graph: {
      get(_tenantId: string, id: string) {
        asked.push(id);
        return new Promise<GraphReply>((resolve) => void replies.push(resolve));
      },
    },
    ...(isTraced && {
      traces: {
        asked(request: object) {
          traced.push(request);
          return (all: unknown) => void traced.push(all);
        },
      },
    }),
  };
  const byId = createReadById({
    ports,
    gate: {
      onOpening: (wake: (tenantId: string) => void) => void wakers.push(wake),
      opensAtMs: (tenantId: string) => opensAtMs.get(tenantId) ?? 0,
      begin: (tenantId: string) => void gate.push(`begin ${tenantId}`),
      endRead: (...end: string[]) => {
        gate.push(`end ${end.join(" ")}`);
        for (const wake of wakers) wake(end[0]!);
      },
    },
    shown: { of: () => shown },
    raise: (work: Work, event: LifeEvent) => void raised.push({ ...event, key: work.idempotencyKey }),
  } as unknown as Core);
  const workOf = (key: string, stage: Stage = stageOf("reading-back"), tenantId = contoso): Work =>
    ({ idempotencyKey: key, stage, enrollment: { tenantId }, record: { offset: 7 } }) as unknown as Work;
  return {
    ...{ clock, asked, events, raised, gate, traced, opensAtMs, shown, byId, workOf },
    async answer(reply: GraphReply = missing) {
      replies.shift()!(reply);
      await rest();
    },
    open: () => {
      for (const wake of wakers) wake(contoso);
    },
  };
}

describe("a read by id", () => {
  for (const [what, reply, expected] of [
    ["shows the object", { ...answers(200).reply, object: objectOf({}, "a") }, "found"],
    ["shows it in another case", { ...answers(200).reply, object: objectOf({}, "A") }, "found"],
    ["shows another object", { ...answers(200).reply, object: objectOf({}, "other") }, "unlike"],
    ["shows none: it is not there", missing, "missed"],
    [
      "finds no route",
      answers(404, { message: "No OData route exists that match template" }).reply,
      "unread",
    ],
    ["is answered 200 without an object", answers(200).reply, "unread"],
    ["is answered 503", answers(503).reply, "unread"],
    ["is not answered", silence("timeout", true), "unread"],
  ] as const)
    test(`${what}: ${expected}`, async () => {
      const { byId, workOf, clock, answer, raised } = given();
      clock.advance(1_000);
      byId.request(workOf("a"));
      clock.advance(500);
      await answer(reply);
      const [event, ...more] = raised;
      assert.deepEqual([event?.kind, more], [expected, []]);
      if (event?.kind === "missed")
        assert.deepEqual([event.by, event.startedMs, event.atMs], ["id", 1_000, 1_500]);
      if (event?.kind === "unread" || event?.kind === "unlike") assert.equal(event.atMs, 1_500);
      if (event?.kind === "found")
        assert.deepEqual([event.object.id.toLowerCase(), event.reply], ["a", reply]);
    });

  test("is reported with its time and its answer, to traces too, and its gate hears how Graph is", async () => {
    const { byId, workOf, clock, answer, events, gate, traced } = given({ isTraced: true });
    for (const reply of [missing, silence("reset", true)]) {
      byId.request(workOf("a"));
      clock.advance(500);
      await answer(reply);
    }
    const request = { kind: "graph-request", operation: "get", tenantId: contoso, items: 1, durationMs: 500 };
    assert.deepEqual(events, [
      { ...request, results: [404] },
      { ...request, results: ["reset"] },
    ]);
    const begin = `begin ${contoso}`;
    assert.deepEqual(gate, [
      begin,
      `end ${contoso} well 404`,
      begin,
      `end ${contoso} ill reset: silent on request`,
    ]);
    const item = { record: { offset: 7 }, attempt: 0, clientRequestId: null };
    assert.deepEqual(traced.slice(0, 2), [{ operation: "get", tenantId: contoso, items: [item] }, [missing]]);
  });
});

describe("reads by id that wait", () => {
  test("are sixteen at a time, the others in turn, and all count as waiting until they are answered", async () => {
    const { byId, workOf, answer, asked } = given();
    const keys = Array.from({ length: 18 }, (_, n) => `${n}`);
    for (const key of keys) byId.request(workOf(key));
    assert.deepEqual([asked, byId.waiting()], [keys.slice(0, 16), 18]);
    await answer();
    assert.deepEqual([asked, byId.waiting()], [keys.slice(0, 17), 17]);
    await answer();
    assert.deepEqual([asked, byId.waiting()], [keys, 16]);
  });

  test("for their tenant do not hold up those of others, and are asked once it may be", async () => {
    const { byId, workOf, clock, asked, opensAtMs, open } = given();
    opensAtMs.set("shut", 1_000);
    for (const [key, tenantId] of [
      ["a", "shut"],
      ["b", contoso],
      ["c", "shut"],
      ["d", contoso],
    ] as const)
      byId.request(workOf(key, stageOf("reading-back"), tenantId));
    assert.deepEqual([asked, byId.waiting()], [["b", "d"], 4]);
    clock.advance(999);
    open();
    assert.deepEqual(asked, ["b", "d"]);
    clock.advance(1);
    open();
    assert.deepEqual(new Set(asked.slice(2)), new Set(["a", "c"]));
    open();
    assert.deepEqual([asked.length, byId.waiting()], [4, 4]);
  });

  test("and have left meanwhile are not asked for", () => {
    const { byId, workOf, asked, opensAtMs, open } = given();
    opensAtMs.set(contoso, 1_000);
    const [left, conflict] = [workOf("left"), workOf("conflict", stageOf("conflict"))];
    for (const work of [left, conflict]) byId.request(work);
    left.stage = stageOf("parking");
    opensAtMs.clear();
    open();
    assert.deepEqual([asked, byId.waiting()], [["conflict"], 1]);
  });
});

// INV-READ-BACK
describe("a create in doubt", () => {
  for (const [what, doubt, shown, past, isTaken] of [
    ["of ours, where ids are honoured", ownDoubt, knownToHonourIds, {}, true],
    ["of ours, where ids are not known to be honoured", ownDoubt, known, {}, false],
    ["of an owner that knew that ids are honoured", inheritedDoubt, known, {}, true],
    ["that perhaps had no id", { ...inheritedDoubt, isHonoured: false }, knownToHonourIds, {}, false],
    ["whose read by id said nothing before", ownDoubt, knownToHonourIds, { needsList: true }, false],
  ] as const)
    test(`${what} is ${isTaken ? "read by its id" : "left to the lists"}`, () => {
      const { byId, workOf, shown: now, asked } = given();
      Object.assign(now, { known: shown });
      assert.equal(byId.take(workOf("a", stageOf("reading-back", { doubt, past }))), isTaken);
      assert.equal(asked.length, isTaken ? 1 : 0);
    });

  test("is read no earlier than that tells", () => {
    const { byId, workOf, shown, clock, asked } = given();
    Object.assign(shown, { known: knownToHonourIds });
    clock.advance(1_000);
    for (const [key, notBeforeMs] of [
      ["a", 1_500],
      ["b", 1_000],
      ["c", 0],
    ] as const)
      assert.equal(byId.take(workOf(key), notBeforeMs), true);
    assert.deepEqual(asked, ["b", "c"]);
    clock.advance(499);
    assert.equal(asked.length, 2);
    clock.advance(1);
    assert.deepEqual(asked, ["b", "c", "a"]);
  });
});

test("a list says that Graph is well, and nothing more", () => {
  assert.deepEqual(healthOfRead({ kind: "listed", objects: [], incomplete: "a page" }, 0), {
    health: "well",
    detail: "",
  });
  assert.deepEqual(healthOfRead({ ...answers(200).reply, object: objectOf({}) }, 0), {
    health: "well",
    detail: "",
  });
});
