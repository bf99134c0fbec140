/** When a tenant's objects are listed, for which of its records, and how many lists are under way. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, detailsOf, keyOf, objectOf } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { answers } from "../../../lab/testkit/scripted-graph.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import { exactForm } from "../../../src/domain/same-enrollment.ts";
import type { GraphObject, ListReply } from "../../../src/graph-port.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Session } from "../../../src/ports.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import type { LifeEvent } from "../../../src/registrar/flow/life-events.ts";
import { createReadList } from "../../../src/registrar/flow/read-list.ts";
import { transition } from "../../../src/registrar/flow/transition.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { known, ownDoubt, stageOf } from "../life.ts";

const rest = () => new Promise<void>((resolve) => setImmediate(resolve));
const listed = (...objects: readonly GraphObject[]): ListReply => ({
  kind: "listed",
  objects,
  incomplete: null,
});
const refused = answers(403).reply;
const failed = answers(500).reply;

/** Chance is 0, so a list that failed is asked for again after 250 ms. */
function given({ listsPer20s = 0, isTraced = false } = {}) {
  const clock = virtualClock();
  const asked: string[] = [];
  const replies: ((reply: ListReply) => void)[] = [];
  const raised: string[] = [];
  const events: RegistrarEvent[] = [];
  const traced: unknown[] = [];
  const noted: string[] = [];
  const shut = new Set<string>();
  /** Machines whose records are read by their id from now on. */
  const byId = new Set<string>();
  const wakers: ((tenantId: string) => void)[] = [];
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const machineOf = ({ enrollment }: Work) => enrollment.details.machineName;
  const wake = () => {
    for (const each of wakers) each(contoso);
  };
  const core = {
    settings: { ...settings, listsPer20s },
    gate: {
      onOpening: (each: () => void) => void wakers.push(each),
      opensAtMs: (tenantId: string) => (shut.has(tenantId) ? Number.POSITIVE_INFINITY : 0),
      begin: (tenantId: string) => void noted.push(`begin ${tenantId}`),
      endRead(...end: string[]) {
        noted.push(`end ${end.join(" ")}`);
        wake();
      },
    },
    shown: { of: () => ({ form: { form: exactForm } }) },
    ports: {
      ...{ clock, random: () => 0, observe: (event: RegistrarEvent) => void events.push(event) },
      graph: {
        list(tenantId: string) {
          asked.push(tenantId);
          return new Promise<ListReply>((resolve) => void replies.push(resolve));
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
    },
    raise(work: Work, event: LifeEvent) {
      raised.push(`${machineOf(work)} ${event.kind}`);
      work.stage = transition(work.stage, event, known).stage;
    },
  };
  const tenants = {
    block: (tenantId: string) => void noted.push(`block ${tenantId}`),
    unblockReads: (tenantId: string) => void noted.push(`unblock ${tenantId}`),
    blockedForMs: () => 0,
    closedUntilMs: () => 0,
    createsOfAll: () => 0,
  };
  const list = createReadList(core as unknown as Core, tenants, {
    take: (work) => byId.has(machineOf(work)),
  });
  return {
    ...{ clock, asked, raised, events, traced, noted, shut, byId, list, wake },
    /** Due at `nextReadAtMs`; absent counts from the start. */
    request(machine: string, { tenantId = contoso, nextReadAtMs = 0 } = {}) {
      const doubt = { ...ownDoubt, nextReadAtMs, absentAfterMs: 0, orphansUntilMs: 0 };
      const work = {
        ...{ partition, idempotencyKey: keyOf({ machine }), record: { offset: 7 } },
        enrollment: { tenantId, details: detailsOf({ machine }) },
        stage: stageOf("reading-back", { doubt }),
      } as unknown as Work;
      list.request(work);
      return work;
    },
    async answer(reply: ListReply = listed()) {
      replies.shift()!(reply);
      await rest();
    },
    seen: () => raised.splice(0),
  };
}

describe("one list", () => {
  // INV-READ-BACK
  test("tells all records of its tenant that were due when it began, and no others", async () => {
    const { request, answer, asked, seen, list, clock } = given();
    request("A");
    request("B");
    request("LATER", { nextReadAtMs: 10 });
    clock.advance(50);
    await answer(listed(objectOf({ machine: "A" })));
    assert.deepEqual([asked.length, seen()], [2, ["A found"]]);
    await answer(listed());
    assert.deepEqual(seen(), ["B missed", "LATER missed"]);
    assert.deepEqual([asked.length, list.waiting()], [2, 2]);
  });

  test("that is not whole tells only what it shows", async () => {
    const { request, answer, seen, noted } = given();
    request("A");
    request("B");
    await answer(listed());
    assert.deepEqual(seen(), ["A missed"]);
    await answer({ kind: "listed", objects: [objectOf({ machine: "B" })], incomplete: "a page" });
    assert.deepEqual(
      seen().filter((what) => what.endsWith("found") || what.endsWith("missed")),
      ["B found"],
    );
    assert.ok(!noted.includes(`block ${contoso}`));
  });

  test("is reported, to traces too, and its gate hears how Graph is", async () => {
    const { request, answer, clock, events, traced, noted } = given({ isTraced: true });
    request("A");
    clock.advance(500);
    await answer(failed);
    const request1 = {
      kind: "graph-request",
      operation: "list",
      tenantId: contoso,
      items: 1,
      durationMs: 500,
    };
    assert.deepEqual(events[0], { ...request1, results: [500] });
    assert.deepEqual(traced, [
      {
        ...{ operation: "list", tenantId: contoso },
        items: [{ record: { offset: 7 }, attempt: 0, clientRequestId: null }],
      },
      [failed],
    ]);
    assert.deepEqual(noted, [`begin ${contoso}`, `end ${contoso} ill 500`]);
  });
});

describe("the next list of a tenant", () => {
  test("begins when the first of its records is due, and not twice", async () => {
    const { request, clock, asked, answer } = given();
    request("A", { nextReadAtMs: 1_000 });
    request("B", { nextReadAtMs: 400 });
    request("C", { nextReadAtMs: 700 });
    clock.advance(399);
    assert.equal(asked.length, 0);
    clock.advance(1);
    assert.deepEqual([asked.length, clock.pendingTimers], [1, 0]);
    await answer();
    clock.advance(299);
    assert.equal(asked.length, 1);
    clock.advance(1);
    assert.equal(asked.length, 2);
  });

  test("waits for the one that is under way", async () => {
    const { request, asked, answer, seen } = given();
    request("A");
    request("B");
    request("C");
    assert.equal(asked.length, 1);
    await answer(listed(objectOf({ machine: "A" }), objectOf({ machine: "C" })));
    assert.deepEqual([asked.length, seen()], [2, ["A found"]]);
  });

  test("keeps to the limit of lists", async () => {
    const { request, asked, answer, clock } = given({ listsPer20s: 2 });
    for (const machine of ["A", "B"]) {
      request(machine);
      await answer(listed(objectOf({ machine })));
    }
    request("C");
    clock.advance(19_999);
    assert.equal(asked.length, 2);
    clock.advance(1);
    assert.equal(asked.length, 3);
  });

  test("is asked for no sooner after one that failed, whatever falls in doubt meanwhile", async () => {
    const { request, asked, answer, clock } = given();
    request("A");
    await answer(failed);
    request("B");
    clock.advance(249);
    assert.equal(asked.length, 1);
    clock.advance(1);
    assert.deepEqual([asked.length, clock.pendingTimers], [2, 0]);
  });

  for (const [what, leave] of [
    ["has left", (_, work) => Object.assign(work, { stage: stageOf("parking") })],
    ["is read by its id", ({ byId }) => byId.add("A")],
  ] as const satisfies readonly (readonly [string, (at: ReturnType<typeof given>, work: Work) => unknown])[])
    test(`is not asked for where all that waited ${what}, and its tenant is blocked no more`, async () => {
      const at = given();
      const work = at.request("A");
      await at.answer(refused);
      await Promise.resolve();
      leave(at, work);
      at.noted.length = 0;
      at.clock.advance(250);
      assert.deepEqual([at.asked.length, at.list.waiting(), at.noted], [1, 0, [`unblock ${contoso}`]]);
      at.byId.clear();
      at.request("B");
      assert.equal(at.asked.length, 2, "it is asked for at once when it is needed again");
    });
});

describe("a tenant whose lists fail", () => {
  test("is stalled from the second failure on, until a whole list comes or none is needed", async () => {
    const { request, answer, clock, list } = given();
    assert.equal(list.isStalled(contoso), false);
    const work = request("A");
    await answer(failed);
    assert.equal(list.isStalled(contoso), false);
    clock.advance(250);
    await answer(failed);
    assert.equal(list.isStalled(contoso), true);
    clock.advance(250);
    await answer(listed());
    assert.equal(list.isStalled(contoso), false);
    for (let n = 0; n < 2; n++) {
      clock.advance(settings.rereadDelayMs);
      await answer(failed);
    }
    assert.equal(list.isStalled(contoso), true);
    work.stage = stageOf("parking");
    clock.advance(settings.rereadDelayMs);
    assert.equal(list.isStalled(contoso), false);
  });

  test("because they are refused is blocked, and is not any more with the first that is whole", async () => {
    const { request, answer, noted, clock } = given();
    request("A");
    await answer(refused);
    assert.deepEqual(noted, [`begin ${contoso}`, `block ${contoso}`, `end ${contoso} well 403`]);
    noted.length = 0;
    clock.advance(250);
    await answer(listed());
    assert.deepEqual(noted, [`begin ${contoso}`, `unblock ${contoso}`, `end ${contoso} well `]);
  });
});

describe("lists of many tenants", () => {
  const tenants = Array.from({ length: 10 }, (_, n) => `tenant ${n}`);

  test("are eight at a time, the others in turn", async () => {
    const { request, asked, answer } = given();
    for (const tenantId of tenants) request(`M ${tenantId}`, { tenantId });
    assert.deepEqual(asked, tenants.slice(0, 8));
    await answer();
    assert.deepEqual(asked, tenants.slice(0, 9));
    await answer();
    assert.deepEqual(asked, tenants);
  });

  test("pass those whose gate is shut, which come first when it opens", () => {
    const { request, asked, shut, wake } = given();
    shut.add("tenant 0").add("tenant 1");
    for (const tenantId of tenants) request(`M ${tenantId}`, { tenantId });
    assert.deepEqual(asked, tenants.slice(2));
    wake();
    assert.equal(asked.length, 8);
  });

  test("that were held go before those that came later", async () => {
    const { request, asked, shut, answer, wake } = given();
    shut.add("tenant 0").add("tenant 1");
    for (const tenantId of tenants) request(`M ${tenantId}`, { tenantId });
    request("late", { tenantId: "late" });
    shut.clear();
    await answer();
    assert.deepEqual(asked.slice(8), ["tenant 0"]);
    await answer();
    wake();
    assert.deepEqual(asked.slice(8), ["tenant 0", "tenant 1"]);
  });
});
