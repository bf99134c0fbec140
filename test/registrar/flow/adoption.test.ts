/** Reading back from a Graph that changes what it keeps, and ignores ids: each enrollment gets its own object, and one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, detailsOf, keyOf, objectOf, registeredBefore } from "../../../lab/testkit/enrollments.ts";
import { createWorld } from "../../../lab/testkit/registrar-world.ts";
import { answers, lost, lostAfterCreating } from "../../../lab/testkit/scripted-graph.ts";
import type { GraphObject } from "../../../src/graph-port.ts";

const at = "2016-12-31T23:57:59.3726057-08:00";
const forms: Readonly<Record<string, Partial<GraphObject>>> = {
  "whole milliseconds in UTC": { enrollmentDateTime: "2017-01-01T07:57:59.372Z" },
  "whole seconds in UTC": { enrollmentDateTime: "2017-01-01T07:57:59Z" },
  "whole seconds, offset kept": { enrollmentDateTime: "2016-12-31T23:57:59-08:00" },
  "rounded milliseconds": { enrollmentDateTime: "2017-01-01T07:57:59.373Z" },
  "whole microseconds": { enrollmentDateTime: "2017-01-01T07:57:59.372605Z" },
  "trimmed names": { connectorName: "Connector", machineName: "HOST-1" },
  "names in another case": { connectorName: "CONNECTOR", machineName: "host-1" },
  "all of it": {
    connectorName: "connector",
    machineName: "host-1",
    enrollmentDateTime: "2017-01-01T07:57:59Z",
  },
};
const enrolling = { machine: "HOST-1 ", connector: " Connector", at };

describe("an object that Graph keeps in a form of its own is found in the list", () => {
  for (const [name, changes] of Object.entries(forms))
    test(name, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, lost);
      world.graph.objects.set(contoso, [{ ...objectOf(enrolling, "theirs"), ...changes }]);
      world.emit(enrolling);
      world.start();
      await world.untilRegistered(1, 5_000);
      assert.deepEqual([world.registered()[0]?.data.id, world.creates().length], ["theirs", 1]);
    });

  test("under our own id it is ours, whatever it looks like, and whatever the id's case", async (t) => {
    const world = createWorld(t);
    const id = keyOf({}).toUpperCase();
    world.graph.script(contoso, lost);
    world.graph.objects.set(contoso, [objectOf({ machine: "OTHER", at: "2000-01-01T00:00:00Z" }, id)]);
    world.emit({});
    world.start();
    await world.untilRegistered(1, 5_000);
    assert.equal(world.registered()[0]?.data.id, id);
  });
});

// INV-ADOPTION
describe("what is another enrollment's, or may be, is not adopted", () => {
  const cut = (enrolled: Parameters<typeof objectOf>[0], id: string) => ({
    ...objectOf(enrolled, id),
    enrollmentDateTime: "2017-01-01T07:57:59Z",
  });

  for (const [name, other] of [
    ["another second", { enrollmentDateTime: "2017-01-01T07:57:58Z" }],
    ["another connector", { connectorName: "other" }],
    [
      "finer digits than a server that cuts would keep",
      { enrollmentDateTime: "2017-01-01T07:57:59.3726000Z" },
    ],
    ["no instant at all", { enrollmentDateTime: "" }],
  ] as const)
    test(name, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, lost);
      const fine = objectOf({ machine: "FINE", at: "2017-01-01T00:00:00.0000001Z" }, "fine");
      world.graph.objects.set(contoso, [{ ...objectOf({ at }, "theirs"), ...other }, fine]);
      world.emit({ at });
      world.start();
      await world.untilRegistered(1);
      assert.notEqual(world.registered()[0]?.data.id, "theirs");
    });

  for (const [what, id, isAdopted] of [
    [
      "its id is of the form of ours, so it was made of another enrollment",
      keyOf({ machine: "GONE" }),
      false,
    ],
    ["in whatever case", keyOf({ machine: "GONE" }).toUpperCase(), false],
    ["an id of another version says nothing", "829e5b51-1111-4aaa-8aaa-829e5b511111", true],
    ["nor one of another variant", "829e5b51-1111-5aaa-caaa-829e5b511111", true],
  ] as const)
    test(what, async (t) => {
      const world = createWorld(t);
      world.graph.script(contoso, lost);
      world.graph.objects.set(contoso, [cut({}, id)]);
      world.emit({});
      world.start();
      await world.untilRegistered(1);
      assert.equal(world.registered()[0]?.data.id === id, isAdopted);
    });

  const fineOne = { machine: "FINE", at: "2017-01-01T00:00:00.0000001Z" };

  test("a registered object that keeps finer digits shows that Graph does not cut: the object is another's", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost);
    world.graph.objects.set(contoso, [cut({}, "theirs"), objectOf(fineOne, "FINE-ID")]);
    world.log.store(registeredBefore(fineOne, 0, "fine-id"));
    world.emit({});
    world.start();
    await world.untilRegistered(2);
    assert.equal(world.registered()[1]?.data.outcome, "created");
  });

  test("so does an object under the id of an enrollment in work", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost, lost);
    world.graph.objects.set(contoso, [cut({}, "theirs"), objectOf(fineOne, keyOf(fineOne))]);
    world.emit({}, fineOne);
    world.start();
    await world.untilRegistered(2);
    const byOffset = new Map(world.registered().map(({ data }) => [data.sourceEvent.offset, data.outcome]));
    assert.deepEqual([byOffset.get(0), byOffset.get(1)], ["created", "recovered"]);
  });

  test("what others made says nothing of what Graph does to ours: the object is the enrollment's", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost);
    const padded = { machine: "Padded ", connector: " Mixed Case", at: "2017-01-01T00:00:00.0000001Z" };
    world.graph.objects.set(contoso, [cut({}, "ours"), objectOf(padded, "of-others")]);
    world.emit({});
    world.start();
    await world.untilRegistered(1, 5_000);
    assert.deepEqual([world.registered()[0]?.data.id, world.creates().length], ["ours", 1]);
  });

  test("unless an answer to a create has shown that it does", async (t) => {
    const world = createWorld(t);
    world.log.store(registeredBefore(fineOne, 0, "fine"));
    world.emit({ machine: "SHOWS-IT" });
    const reply = { ...answers(201).reply, object: cut({ machine: "SHOWS-IT" }, "shown") };
    world.graph.script(contoso, { reply }, lost);
    const worker = world.start();
    await world.untilRegistered(2);
    assert.deepEqual(
      worker.seen("graph-normalises").map(({ what }) => what),
      [["seconds", "utc"]],
    );
    world.graph.objects.set(contoso, [cut({}, "theirs"), objectOf(fineOne, "fine")]);
    world.emit({});
    await world.untilRegistered(3);
    assert.equal(world.registered()[2]?.data.id, "theirs");
    assert.equal(worker.seen("graph-normalises").length, 1);
  });

  test("two enrollments of one machine within one second: each gets its own object, and one", async (t) => {
    const world = createWorld(t);
    const create = world.graph.create;
    world.graph.create = async (tenantId, items) => {
      const replies = await create(
        tenantId,
        items.map((item) => ({
          ...item,
          details: { ...item.details, enrollmentDateTime: "2017-01-01T07:57:59Z" },
        })),
      );
      return replies;
    };
    world.graph.always(contoso, lostAfterCreating);
    world.emit({ at }, { at: "2016-12-31T23:57:59.3726058-08:00" }, { at: "2016-12-31T23:57:59.9-08:00" });
    world.start();
    await world.untilRegistered(3);
    const ids = world.registered().map(({ data }) => data.id);
    assert.deepEqual(new Set(ids), new Set(["object-1", "object-2", "object-3"]));
    assert.equal(world.creates().length, 3);
  });

  test("the other's create is still under way: neither adopted nor taken for absent, until its answer tells", async (t) => {
    const world = createWorld(t);
    const trimmed = { ...detailsOf({ machine: "HOST", at }), enrollmentDateTime: "2017-01-01T07:57:59Z" };
    const made = { id: "of-the-second", ...trimmed };
    world.graph.script(contoso, lost, {
      reply: { ...answers(201).reply, object: made },
      delayMs: 20_000,
    });
    // Two machines as far as the worker can tell, one as far as Graph can.
    world.emit({ machine: "HOST ", at }, { machine: "HOST", at });
    world.graph.objects.set(contoso, [made]);
    world.start({ batchMax: 1, maxInFlight: 1, requestTimeoutMs: 30_000 });
    await world.untilRegistered(2);
    const byMachine = new Map(world.registered().map(({ data }) => [data.sourceEvent.offset, data.id]));
    assert.equal(byMachine.get(1), "of-the-second");
    assert.notEqual(byMachine.get(0), "of-the-second");
  });

  test("several in doubt could have made it: the earliest claims it, the other is posted again", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost, lost);
    world.emit({ machine: "HOST ", at }, { machine: " HOST", at });
    world.graph.objects.set(contoso, [
      { id: "one", ...detailsOf({ machine: "HOST", at }), enrollmentDateTime: "2017-01-01T07:57:59Z" },
    ]);
    world.start({ batchMax: 1 });
    await world.untilRegistered(2);
    const byOffset = world.registered().map(({ data }) => [data.sourceEvent.offset, data.id]);
    assert.deepEqual(new Map(byOffset as [number, string][]).get(0), "one");
    assert.equal(new Set(byOffset.map(([, id]) => id)).size, 2);
  });

  const oneSecond = (id: string) => ({
    id,
    ...detailsOf({ machine: "HOST", at }),
    enrollmentDateTime: "2017-01-01T07:57:59Z",
  });

  test("one that equals another in doubt exactly is that one's, although the earlier one could have made it", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost, lost);
    world.emit({ machine: "HOST ", at }, { machine: "HOST", at: "2017-01-01T07:57:59Z" });
    world.graph.objects.set(contoso, [oneSecond("of-the-second")]);
    world.start({ batchMax: 1 });
    await world.untilRegistered(2);
    const byOffset = new Map(world.registered().map(({ data }) => [data.sourceEvent.offset, data.id]));
    assert.equal(byOffset.get(1), "of-the-second");
    assert.notEqual(byOffset.get(0), "of-the-second");
  });

  test("several in doubt, and an object for each: each gets one", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost, lost);
    world.emit({ machine: "HOST ", at }, { machine: " HOST", at });
    world.graph.objects.set(contoso, [oneSecond("one"), oneSecond("two")]);
    const worker = world.start({ batchMax: 1 });
    await world.untilRegistered(2);
    assert.deepEqual(new Set(world.registered().map(({ data }) => data.id)), new Set(["one", "two"]));
    assert.equal(world.creates().length, 2);
    assert.deepEqual(worker.seen("duplicate-objects"), []);
  });

  test("two objects, and the other that could be has not been posted yet: both are of the one in doubt", async (t) => {
    const world = createWorld(t);
    world.graph.script(contoso, lost);
    world.emit({ machine: "HOST ", at }, { machine: "HOST ", at: "2016-12-31T23:57:59.9-08:00" });
    world.graph.objects.set(contoso, [oneSecond("one"), oneSecond("two")]);
    const worker = world.start({ batchMax: 1 });
    await world.untilRegistered(2);
    assert.deepEqual(
      worker.seen("duplicate-objects").map(({ ids }) => ids),
      [["one", "two"]],
    );
    assert.deepEqual(
      world.registered().map(({ data }) => data.outcome),
      ["recovered", "created"],
    );
  });

  test("one whose registered record is on its way to the log is claimed already", async (t) => {
    const world = createWorld(t);
    const release = world.log.hold("append");
    world.graph.script(
      contoso,
      { reply: { ...answers(201).reply, object: oneSecond("of-the-first") } },
      lost,
    );
    world.graph.objects.set(contoso, [oneSecond("of-the-first")]);
    world.emit({ machine: "HOST ", at }, { machine: " HOST", at });
    world.start({ batchMax: 1, publishTimeoutMs: 600_000 });
    await world.time.until("listed", () => world.lists().length > 0, 30_000);
    await world.time.pass(1_000);
    release();
    await world.untilRegistered(2);
    const ids = world.registered().map(({ data }) => data.id);
    assert.equal(new Set(ids).size, 2, ids.join(", "));
  });
});
