/** Rows of the table "What happens when" of docs/SEMANTICS.md: the list of tenants changes (INV-SERVED). */
import assert from "node:assert/strict";
import { contoso, fabrikam } from "../../lab/testkit/enrollments.ts";
import { settings } from "../../lab/testkit/registrar-world.ts";
import { answers, lost } from "../../lab/testkit/scripted-graph.ts";
import { type Specification, untilSettled } from "../../lab/testkit/specification.ts";
import { tenantsOf } from "./tenants-list.ts";

const oneDeadLetter = {
  objects: [],
  registered: [],
  deadLetters: ["tenant-not-allowed enrolled/0/0"],
};

export const tenantRows: Readonly<Record<string, Specification>> = {
  "tenant removed from the list, record read and not posted": {
    // Graph asks to wait: what was read is not posted again before that.
    given: { enrolled: [{}], graph: [answers(429, { retryAfter: "60" })] },
    async when(world) {
      const { served, set } = tenantsOf(contoso);
      world.start({ tenants: served });
      await world.time.until("Graph was asked", () => world.creates().length === 1);
      set(fabrikam);
      await untilSettled(world, 1);
    },
    expect: { ...oneDeadLetter, creates: 1, settledThrough: 1 },
  },
  "tenant removed, POST under way or its reply lost": {
    given: { enrolled: [{}], graph: [lost] },
    async when(world) {
      const { served, set } = tenantsOf(contoso);
      world.start({ tenants: served });
      await world.time.until("it was posted", () => world.creates().length === 1);
      set(fabrikam);
      await untilSettled(world, 1);
      assert.ok(world.lists().length >= 3, "refused before it was surely absent");
    },
    expect: { ...oneDeadLetter, creates: 1, settledThrough: 1 },
  },
  "dead-lettered as `tenant-not-allowed`, offset not committed; the next owner has the tenant on its list": {
    given: { enrolled: [{}] },
    async when(world) {
      const unlisted = { tenants: tenantsOf(fabrikam).served };
      const worker = world.start(unlisted);
      await world.time.until("it is refused", () => world.deadLetters().length === 1);
      worker.crash();
      assert.equal(world.log.committed("enrolled")?.offset, 0);
      world.start({ tenants: tenantsOf(contoso).served });
      await untilSettled(world, 1);
    },
    expect: { ...oneDeadLetter, creates: 0, settledThrough: 1 },
  },
  "dead-lettered as `tenant-not-allowed`, killed with the dead letter on its way, which is stored after the settle time; the next owner has the tenant on its list":
    {
      given: { enrolled: [{}] },
      async when(world) {
        const worker = world.start({ tenants: tenantsOf(fabrikam).served });
        const arrive = world.log.hold("append");
        await world.time.pass(10_000);
        worker.crash();
        world.start({ tenants: tenantsOf(contoso).served });
        await world.time.pass(settings.settleMs + settings.orphanMs / 2);
        assert.deepEqual([world.deadLetters(), world.creates()], [[], []]);
        arrive();
        await untilSettled(world, 1);
      },
      expect: { ...oneDeadLetter, creates: 0, settledThrough: 1 },
    },
  "tenant paused": {
    given: { enrolled: [{ machine: "HOST-1" }, { machine: "HOST-2" }] },
    async when(world) {
      const { served, set } = tenantsOf({ tenantId: contoso, paused: true });
      world.start({ tenants: served });
      await untilSettled(world, 2);
      assert.equal(world.creates().length, 0);
      set(contoso);
      await world.untilRegistered(2);
    },
    expect: {
      objects: ["HOST-1", "HOST-2"],
      registered: ["HOST-1 created", "HOST-2 created"],
      creates: 2,
      settledThrough: 2,
    },
  },
};
