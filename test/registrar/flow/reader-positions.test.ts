/** Records are read from the position that holds: after a take-over, and after a gap. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReadResult } from "../../../src/ports.ts";
import { given, records, rest } from "./reader-given.ts";

describe("what was read before the partition was taken over again", () => {
  test("is passed over, and read again from the new position", async () => {
    const { reader, partition, log, seen, partitionOf } = given();
    reader.start(partition);
    await rest();
    const next = partitionOf(log.session, 9);
    reader.start(next);
    assert.deepEqual(log.seeks.slice(2), ["enrolled/0@9 -1", "retry/0@2 -1"]);
    await log.answer("enrolled", records(5));
    assert.deepEqual([seen, log.seeks.slice(4), log.reads()], [[], ["enrolled/0@9 -1"], 3]);
    await log.answer("enrolled", records(9));
    assert.deepEqual(seen, ["enrolled 9", "read"]);
  });

  test("while its window was full is passed over too, and its reading continues with the new one", async () => {
    const { reader, partition, log, seen, partitionOf } = given();
    reader.start(partition);
    await rest();
    await log.answer("enrolled", records(5, 6));
    partition.lost.abort();
    const next = partitionOf(log.session, 9);
    reader.start(next);
    reader.wake(partition);
    await rest();
    assert.equal(log.reads(), 3);
    await log.answer("enrolled", records(9));
    assert.equal(seen.at(-2), "enrolled 9");
  });

  for (const [what, change] of [
    ["lost", ({ owned }) => owned.clear()],
    [
      "taken over again and not confirmed",
      ({ partitionOf }) => Object.assign(partitionOf(), { confirmed: false }),
    ],
  ] as const satisfies readonly (readonly [string, (at: ReturnType<typeof given>) => unknown])[])
    test(`and is ${what} now is passed over, and nothing more is read`, async () => {
      const at = given();
      const { reader, partition, log, seen } = at;
      reader.start(partition);
      await rest();
      change(at);
      await log.answer("enrolled", records(5));
      assert.deepEqual([seen, log.reads(), log.seeks.length], [[], 2, 2]);
    });
});

// INV-KNOWN-LOG
describe("a gap in the log", () => {
  const gap = (why: "deleted" | "truncated" | "recreated"): ReadResult => ({
    ...{ kind: "gap", why, expected: 5, logStart: 8, logEnd: 20 },
  });

  test("stops the worker", async () => {
    const { reader, partition, log, seen, events } = given();
    reader.start(partition);
    await rest();
    await log.answer("enrolled", gap("deleted"));
    assert.deepEqual([seen, events, log.seeks.length], [["fault retention-gap"], [], 2]);
  });

  test("is passed where the worker may continue: what was deleted by going on behind it, another log by taking over again", async () => {
    const { reader, partition, log, seen, events } = given({ onRetentionGap: "continue" });
    reader.start(partition);
    await rest();
    await log.answer("enrolled", gap("deleted"));
    assert.deepEqual([seen, log.seeks.slice(2), log.reads()], [[], ["enrolled/0@8 -1"], 3]);
    await log.answer("enrolled", gap("recreated"));
    assert.deepEqual([seen, log.seeks.length, log.reads()], [["regain enrolled"], 3, 4]);
    const passed = events.map((event) => event.kind === "gap-passed" && `${event.topic} ${event.detail}`);
    assert.match(String(passed[0]), /^enrolled enrolled partition 0: records 5 to 7 were deleted/);
    assert.match(String(passed[1]), /created again/);
  });
});
