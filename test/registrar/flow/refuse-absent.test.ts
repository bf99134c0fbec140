/** INV-READ-BACK: before a record is refused for good, its object is looked for where lists can't hide it. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { contoso, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";
import { lostAfterCreating } from "../../../lab/testkit/scripted-graph.ts";
import { refuseAbsent } from "../../../src/registrar/flow/refuse-absent.ts";
import { stageOf } from "../life.ts";
import { tenantsOf } from "../tenants-list.ts";

const refused = { refusal: { code: "x", message: "Refused.", pointers: [] } };

suite("what is absent as far as is known", () => {
  for (const [known, past, at] of [
    ["by nothing else: it is dead-lettered", {}, "publishing"],
    ["by lists alone: it is read by its id", { listMisses: 1 }, "reading-back"],
    ["by lists alone, and four reads by its id failed: one more", { listMisses: 5 }, "reading-back"],
    ["by lists alone, and five reads by its id failed: it is dead-lettered", { listMisses: 6 }, "publishing"],
    [
      "by what a vanished owner may still change: it is looked up later",
      { orphansUntilMs: 9_000 },
      "reading-back",
    ],
  ] as const)
    test(known, () => {
      assert.equal(refuseAbsent(stageOf("backing-off", { past }), refused, settings).stage.at, at);
    });
});

suite("an object that all lists hide is found by its id when its tenant was removed", () => {
  for (const isOfEarlierOwner of [false, true])
    test(isOfEarlierOwner ? "by the next owner" : "by the worker that made it", async (t) => {
      const world = createWorld(t);
      const { served, set } = tenantsOf(contoso);
      world.graph.ids = "honoured";
      world.graph.list = async () => ({ kind: "listed", objects: [], incomplete: null });
      world.graph.script(contoso, lostAfterCreating);
      world.emit({ tenant: contoso });
      const worker = world.start({ tenants: served });
      await world.time.until("it was posted", () => world.creates().length === 1);
      if (isOfEarlierOwner) {
        worker.crash();
        world.start({ tenants: tenantsOf(fabrikam).served });
      } else set(fabrikam);
      await world.untilRegistered(1, 600_000);
      assert.equal(world.registered()[0]?.data.outcome, "recovered");
      assert.deepEqual(world.deadLetters(), []);
    });
});

test("where Graph ignores ids, a read by id that finds nothing changes nothing: it is refused once, and not posted", async (t) => {
  const world = createWorld(t);
  const { served, set } = tenantsOf(contoso);
  world.graph.script(contoso, { ...lostAfterCreating, creates: false });
  world.emit({ tenant: contoso });
  world.start({ tenants: served });
  await world.time.until("it was posted", () => world.creates().length === 1);
  set(fabrikam);
  await world.time.until("it is refused", () => world.deadLetters().length === 1, 600_000);
  await world.time.pass(300_000);
  assert.deepEqual(world.deadLetters(), ["tenant-not-allowed enrolled/0/0"]);
  assert.equal(world.creates().length, 1);
  assert.equal(world.graph.asked.filter(({ operation }) => operation === "get").length, 1);
});
