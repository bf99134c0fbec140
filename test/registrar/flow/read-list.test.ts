/** When a tenant's objects are listed, and for which of its records. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, objectOf } from "../../../lab/testkit/enrollments.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { stageOf } from "../life.ts";
import { failed, given, listed, refused } from "./read-list-given.ts";

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
    clock.advance(1_000);
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

  test("begins at once for a record that is due before those that were missed", async () => {
    const { request, asked, answer, seen } = given();
    request("A");
    await answer(listed());
    request("B");
    assert.equal(asked.length, 2);
    await answer(listed());
    assert.deepEqual(seen(), ["A missed", "B missed"]);
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
      leave(at, work);
      at.noted.length = 0;
      at.clock.advance(250);
      assert.deepEqual([at.asked.length, at.list.waiting(), at.clock.pendingTimers], [1, 0, 0]);
      assert.deepEqual(at.noted, [`unblock ${contoso}`]);
      at.byId.clear();
      at.request("B");
      assert.equal(at.asked.length, 2, "it is asked for at once when it is needed again");
    });
});
