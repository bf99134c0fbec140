/** Records get their turn one after the other, in a lane of any length. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import type { Session } from "../../../src/ports.ts";
import { createTurns } from "../../../src/registrar/flow/turns.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";

test("a record that leaves its lane at its turn has left before the next one gets its turn, also in a second lane later", () => {
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const workAt = (offset: number) =>
    ({
      ...{ partition, topic: "enrolled", idempotencyKey: `key ${offset}` },
      ...{ slot: { offset }, record: { topic: "enrolled", offset }, enrollment: { tenantId: "tenant" } },
    }) as unknown as Work;
  const lane: Work[] = [];
  const seen: string[] = [];
  const turns = createTurns({
    settings,
    shown: { of: () => assert.fail("nothing was said to be honoured") } as never,
    raise(work, event) {
      seen.push(`${event.kind} ${work.slot.offset}`);
      const next = lane.shift();
      if (next !== undefined) turns.goOnWith(next);
      seen.push(`left ${work.slot.offset}`);
    },
  });
  lane.push(workAt(2), workAt(3));
  turns.goOnWith(workAt(1));
  turns.goOnWith(workAt(4));
  assert.deepEqual(
    seen,
    [1, 2, 3, 4].flatMap((offset) => [`first ${offset}`, `left ${offset}`]),
  );
});
