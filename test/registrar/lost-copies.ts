/** Rows of the table "What happens when" of docs/SEMANTICS.md: the brokers lose what was parked. */
import assert from "node:assert/strict";
import { contoso } from "../../lab/testkit/enrollments.ts";
import { answers } from "../../lab/testkit/scripted-graph.ts";
import type { Specification } from "../../lab/testkit/specification.ts";

export const lostCopies: Readonly<Record<string, Specification>> = {
  "record parked, its copy acknowledged, then lost by the brokers before it was read": {
    given: { parked: [{ machine: "HOST-1" }], enrolled: [{ machine: "HOST-2" }] },
    async when(world) {
      const { store } = world.log;
      world.log.store = (record) => {
        const stored = store(record);
        if (record.topic === "retry") world.log.cutEnd("retry", 0, stored.offset);
        return stored;
      };
      world.graph.always(contoso, answers(403));
      const first = world.start();
      await world.time.until("it stops", () => first.fault() !== undefined, 15_000);
      assert.equal(first.fault()?.code, "parked-copy-lost");
      assert.equal(world.log.committed("enrolled")?.offset, 0);
      world.log.store = store;
      world.graph.always(contoso, null);
      world.start();
      await world.untilRegistered(2);
    },
    // Two of the creates were answered 403.
    expect: { objects: ["HOST-1", "HOST-2"], registered: ["HOST-1 created", "HOST-2 created"], creates: 4 },
  },
  "record parked, its copy read, then lost by the brokers": {
    given: { parked: [{ machine: "HOST-1" }, { machine: "HOST-2" }] },
    async when(world) {
      world.graph.always(contoso, answers(403));
      const first = world.start();
      await world.time.pass(5_000);
      world.log.cutEnd("retry", 0, 1);
      await world.time.until("it stops", () => first.fault() !== undefined);
      const next = world.start();
      await world.time.until("so does the next", () => next.fault() !== undefined);
      for (const { fault } of [first, next]) assert.equal(fault()?.code, "retention-gap");
    },
    // Both answered 403.
    expect: { objects: [], registered: [], creates: 2 },
  },
};
