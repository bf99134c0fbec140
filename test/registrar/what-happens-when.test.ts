/** The table "What happens when" of docs/SEMANTICS.md: each row is one specification, under the row's own words. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { contoso, eventRecord } from "../../lab/testkit/enrollments.ts";
import { settings } from "../../lab/testkit/registrar-world.ts";
import { byItself, lost, lostAfterCreating } from "../../lab/testkit/scripted-graph.ts";
import { crashWhile, type Specification, specify, untilSettled } from "../../lab/testkit/specification.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { deadLetterRows } from "./dead-letter-rows.ts";
import { goneOffsetRows } from "./gone-offset-rows.ts";
import { lostCopies } from "./lost-copies.ts";
import { tenantRows } from "./tenant-rows.ts";

const { settleMs } = settings;
const home = homePartition(contoso, 2);
const oneEvent = { enrolled: [{}] };
const created = { objects: ["HOST-1"], registered: ["HOST-1 created"], creates: 1 };
const recovered = { objects: ["HOST-1"], registered: ["HOST-1 recovered"], creates: 1 };
const utf8 = new TextEncoder();
const notAnEvent = { ...eventRecord({}, 0), value: utf8.encode("not JSON") };

const table: Readonly<Record<string, Specification>> = {
  "before the claim is committed": {
    given: { enrolled: [{}, { machine: "HOST-2" }], committed: { settledThrough: 0, attemptedThrough: 1 } },
    async when(world) {
      const release = world.log.hold("commit");
      const first = world.start();
      await world.time.pass(60_000);
      assert.equal(world.creates().length, 0);
      first.crash();
      release();
      // The next owner starts from the same watermark: HOST-2 is fresh, HOST-1 is suspect.
      world.start();
      await world.untilRegistered(1, 1_000);
      assert.deepEqual(world.createdMachines(), ["HOST-2"]);
      await untilSettled(world, 2);
    },
    expect: {
      objects: ["HOST-1", "HOST-2"],
      registered: ["HOST-2 created", "HOST-1 created"],
      creates: 2,
      settledThrough: 2,
    },
  },
  "record read, nothing posted, offset >= A": {
    given: { ...oneEvent, committed: { settledThrough: 0, attemptedThrough: 0 } },
    async when(world) {
      world.start();
      await world.untilRegistered(1, 1_000);
      assert.equal(world.lists().length, 0);
    },
    expect: created,
  },
  "record read, nothing posted, offset < A": {
    given: { ...oneEvent, committed: { settledThrough: 0, attemptedThrough: 1 } },
    async when(world) {
      world.start();
      await world.time.pass(settleMs - 1_000);
      assert.deepEqual(world.graph.asked, []);
      await world.untilRegistered(1);
      assert.ok(world.lists().length >= settings.rereadCount);
    },
    expect: created,
  },
  "POST under way, not carried out": {
    given: { ...oneEvent, graph: [{ ...lost, delayMs: 10_000 }] },
    async when(world) {
      await crashWhile(world, "it is posted", () => world.creates().length === 1);
      world.start();
      await world.untilRegistered(1);
    },
    expect: { ...created, creates: 2 },
  },
  "POST carried out, reply lost, worker alive": {
    given: { ...oneEvent, graph: [lostAfterCreating] },
    async when(world) {
      world.start();
      await world.untilRegistered(1, settleMs);
    },
    expect: recovered,
  },
  "POST carried out, worker gone": {
    given: { ...oneEvent, graph: [{ ...byItself, delayMs: 10_000 }] },
    async when(world) {
      await crashWhile(world, "the object exists", () => world.graph.objects.has(contoso));
      world.start();
      await world.time.pass(settleMs - 1_000);
      assert.equal(world.registered().length, 0);
      await world.untilRegistered(1);
    },
    expect: recovered,
  },
  "201 read, record not appended": {
    given: { ...oneEvent, appends: ["lost"] },
    async when(world) {
      await crashWhile(world, "the append is under way", () => world.log.appends.length === 1);
      world.start();
      await world.untilRegistered(1);
    },
    expect: recovered,
  },
  "append sent, acknowledgement lost, worker alive": {
    given: { ...oneEvent, appends: ["unacknowledged"] },
    async when(world) {
      world.start();
      await untilSettled(world, 1);
    },
    expect: { ...created, registered: ["HOST-1 created", "HOST-1 created"], settledThrough: 1 },
  },
  "record appended, offset not committed": {
    given: oneEvent,
    async when(world) {
      await crashWhile(world, "it is registered", () => world.registered().length === 1);
      assert.equal(world.log.committed("enrolled")?.offset, 0);
      const next = world.start();
      await untilSettled(world, 1);
      assert.equal(next.seen("record-duplicate").length, 1);
    },
    expect: { ...created, settledThrough: 1 },
  },
  "commit sent, acknowledgement lost": {
    given: { ...oneEvent, commits: ["committed", "unknown, stored"] },
    async when(world) {
      world.start();
      await untilSettled(world, 1);
      assert.ok(world.log.commits.length > 2);
    },
    expect: { ...created, settledThrough: 1 },
  },
  "superseded worker commits": {
    given: oneEvent,
    async when(world) {
      const first = world.start();
      await world.untilRegistered(1);
      await world.time.pass(5_000);
      // Another member holds the partition, and this one does not know it yet.
      world.log.generation++;
      const before = world.log.committed("enrolled");
      world.log.store(notAnEvent);
      await world.time.pass(30_000);
      assert.equal(world.deadLetters().length, 1);
      assert.deepEqual(world.log.committed("enrolled"), before);
      first.crash();
    },
    expect: { ...created, settledThrough: 1 },
  },
  "superseded worker posts": {
    given: oneEvent,
    async when(world) {
      world.start();
      await world.untilRegistered(1);
      await world.time.pass(5_000);
      world.log.generation++;
      world.log.commitScript.push("superseded");
      // Its next commit is refused, which ends its lease.
      world.log.store(notAnEvent);
      await world.time.pass(5_000);
      world.emit({ machine: "HOST-2" });
      await world.time.pass(120_000);
    },
    expect: created,
  },
  "superseded worker appends what it posted before": {
    given: { ...oneEvent, graph: [{ ...byItself, delayMs: 5_000 }] },
    async when(world) {
      const first = world.start();
      await world.time.until("it is posted", () => world.creates().length === 1);
      first.member.endSession();
      const next = world.start();
      await world.time.pass(settleMs - 1_000);
      assert.equal(world.registered().length, 1);
      await world.time.until("a duplicate", () => next.seen("record-duplicate").length === 1);
    },
    expect: created,
  },
  ...deadLetterRows,
  "record moved home or parked, offset not committed": {
    given: { partitions: 2, enrolled: [{ partition: 1 - home }] },
    async when(world) {
      const moved = () => world.log.records("enrolled", home).length;
      await crashWhile(world, "it is moved", () => moved() === 1);
      world.start();
      await world.time.until("it is moved again", () => moved() === 2);
      await world.time.until("both are settled", () => world.log.committed("enrolled", home)?.offset === 2);
    },
    // The first worker had posted the first copy already.
    expect: recovered,
  },
  ...lostCopies,
  ...tenantRows,
  "a producer writes `origin` or `in-doubt` headers into `connector.enrolled`": {
    given: {
      enrolled: [
        {
          headers: [
            ["origin", utf8.encode("enrolled/0/7")],
            ["in-doubt", utf8.encode("1")],
          ],
        },
      ],
    },
    async when(world) {
      world.start();
      await world.untilRegistered(1, 1_000);
      assert.equal(world.lists().length, 0);
      assert.equal(world.registered()[0]?.data.sourceEvent.offset, 0);
    },
    expect: created,
  },
  "a static member's place is taken while it is at work": {
    given: oneEvent,
    async when(world) {
      const first = world.start();
      first.member.holder = { memberId: "first", overlapMs: 30_000 };
      await world.untilRegistered(1);
      const next = world.start();
      await world.time.until("its wait", () => next.seen("take-over-waits").length === 1);
      // The first one does not know yet, and its promise covers this.
      world.emit({ machine: "HOST-2" });
      await world.untilRegistered(2, 10_000);
      assert.equal(next.seen("partition-gained").length, 0);
      await world.time.until("it is told", () => first.seen("committed").at(-1)?.result === "superseded");
      await world.time.until("it is taken over", () => next.seen("partition-gained").length === 1);
      assert.equal(next.seen("partition-gained")[0]?.suspects, 2);
      await untilSettled(world, 2);
    },
    expect: {
      objects: ["HOST-1", "HOST-2"],
      registered: ["HOST-1 created", "HOST-2 created"],
      creates: 2,
      settledThrough: 2,
    },
  },
  "clean shutdown": {
    given: { ...oneEvent, graph: [{ ...byItself, delayMs: 5_000 }] },
    async when(world) {
      const first = world.start();
      await world.time.until("it is posted", () => world.creates().length === 1);
      await first.stop();
      const { length } = world.log.commits;
      assert.equal(world.log.commits[length - 1]?.[0]?.offset, 1);
      world.emit({ machine: "HOST-2" });
      const next = world.start();
      await world.untilRegistered(2, 1_000);
      assert.equal(next.seen("partition-gained")[0]?.suspects, 0);
    },
    expect: {
      objects: ["HOST-1", "HOST-2"],
      registered: ["HOST-1 created", "HOST-2 created"],
      creates: 2,
    },
  },
  ...goneOffsetRows,
  "an operator rewinds the group's offsets": {
    given: { enrolled: [{}, { machine: "HOST-2" }] },
    async when(world) {
      const first = world.start();
      await untilSettled(world, 2);
      await first.stop();
      world.log.commitBefore({ topic: "enrolled", partition: 0, offset: 0, metadata: "" });
      const next = world.start();
      await untilSettled(world, 2);
      assert.equal(next.seen("record-duplicate").length, 2);
    },
    expect: {
      objects: ["HOST-1", "HOST-2"],
      registered: ["HOST-1 created", "HOST-2 created"],
      creates: 2,
      settledThrough: 2,
    },
  },
};

for (const [row, specification] of Object.entries(table)) test(row, (t) => specify(t, specification));

test("docs/SEMANTICS.md has these rows, and no other", () => {
  const page = readFileSync(new URL("../../docs/SEMANTICS.md", import.meta.url), "utf8");
  const section = page.split("\n## ").find((each) => each.startsWith("What happens when"));
  const rows = section?.match(/^\| (?!at this step|---).*$/gm)?.map((line) => line.split(" | ")[0]?.slice(2));
  assert.deepEqual(rows, Object.keys(table));
});
