/** Rows of the table "What happens when" of docs/SEMANTICS.md: no offsets are stored, or those of one input only. */
import assert from "node:assert/strict";
import { settings } from "../../lab/testkit/registrar-world.ts";
import type { Specification } from "../../lab/testkit/specification.ts";

const { settleMs } = settings;
const oneEvent = { enrolled: [{}] };
const created = { objects: ["HOST-1"], registered: ["HOST-1 created"], creates: 1 };
const found = { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 0 };

export const goneOffsetRows: Readonly<Record<string, Specification>> = {
  "no stored commit of either input, empty ledger partition": {
    given: oneEvent,
    async when(world) {
      const worker = world.start();
      await world.untilRegistered(1, 1_000);
      assert.equal(worker.seen("partition-gained")[0]?.suspects, 0);
    },
    expect: created,
  },
  "no stored commit of one input only, empty ledger partition (its topic or its offsets were deleted)": {
    given: { ...oneEvent, objects: [{}] },
    async when(world) {
      world.log.commitBefore({ topic: "retry", partition: 0, offset: 0, metadata: "" });
      const worker = world.start();
      await world.untilRegistered(1);
      assert.equal(worker.seen("partition-gained")[0]?.suspects, 1);
    },
    expect: found,
  },
  "no stored commit, ledger not empty (offsets expired)": {
    given: { ...oneEvent, registered: [{ machine: "HOST-9" }], objects: [{}] },
    async when(world) {
      const worker = world.start();
      await world.time.pass(settleMs - 1_000);
      assert.equal(worker.seen("partition-gained")[0]?.suspects, 1);
      await world.untilRegistered(2);
    },
    expect: found,
  },
};
