/** What is parked or moved home: what that says in the log, and when it has arrived; what traces hear of outcomes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { contoso, headerNames } from "../../../lab/testkit/enrollments.ts";
import type { Entry } from "../../../src/registrar/flow/troubled-places.ts";
import { isInDoubt } from "../../../src/registrar/intake/in-doubt.ts";
import { noteArrival, parkedCount } from "../../../src/registrar/intake/parking.ts";
import { type Given, ownDoubt } from "../life.ts";
import { given, object, refusal, reply } from "./outcomes-given.ts";

test("what is moved home is reported when it is durable, and keeps its topic", () => {
  const at = given();
  at.outcomes.moveHome(at.workAt(3, { topic: "retry" }), 2, contoso);
  const { topic, partition, key } = at.entries[0]!.record;
  assert.deepEqual([topic, partition, new TextDecoder().decode(key!)], ["retry", 2, contoso]);
  assert.deepEqual([at.events, at.raised], [[], []]);
  at.entries[0]!.done(true, 0);
  const place = { topic: "retry", partition: 0, offset: 3 };
  assert.deepEqual(at.events, [{ kind: "record-rehomed", at: place, toPartition: 2 }]);
  assert.deepEqual(at.raised, ["appended"]);
});

// INV-DURABLE-OUTCOME
describe("a record that is parked", () => {
  const park = (at: ReturnType<typeof given>, life: Given = {}) => {
    at.outcomes.park(at.workAt(3, life));
    return at.entries[0]!;
  };

  test("has arrived when its copy was read, after it was acknowledged", () => {
    const at = given();
    const entry = park(at);
    assert.equal(parkedCount(at.partition.parking), 1);
    entry.done(true, 5);
    assert.deepEqual(at.raised, []);
    assert.deepEqual(at.events, [
      { kind: "record-parked", at: { topic: "enrolled", partition: 0, offset: 3 }, tenantId: contoso },
    ]);
    noteArrival(at.partition.parking, contoso, 3)!.arrive();
    assert.deepEqual(at.raised, ["arrived"]);
  });

  test("has arrived when it is acknowledged, if its copy was read before", () => {
    const at = given();
    const entry = park(at);
    assert.equal(noteArrival(at.partition.parking, contoso, 3), null);
    entry.done(true, 5);
    assert.deepEqual(at.raised, ["arrived"]);
  });

  test("is sent again when its copy is lost", () => {
    const at = given();
    park(at).done(true, 5);
    const [awaited] = at.partition.parking.awaited;
    assert.deepEqual([awaited?.enrolledOffset, awaited?.retryOffset], [3, 5]);
    awaited!.sendAgain();
    assert.deepEqual(at.raised, ["copy-lost"]);
  });

  test("has arrived when it is acknowledged, and once, where the simulation takes the defence away", () => {
    const at = given(undefined, { sabotage: new Set(["parked-unseen"] as const) });
    park(at).done(true, 5);
    assert.deepEqual(at.raised, ["arrived"]);
    noteArrival(at.partition.parking, contoso, 3)!.arrive();
    assert.deepEqual(at.raised, ["arrived"]);
  });

  // INV-DOUBT
  test("takes its doubt with it, and none that it does not have", () => {
    const read = (entry: Entry) => isInDoubt({ ...entry.record, offset: 0, timestampMs: 0, leaderEpoch: -1 });
    assert.deepEqual([read(park(given(), { doubt: ownDoubt })), read(park(given()))], [true, false]);
  });
});

describe("traces", () => {
  test("hear of each outcome when it is sent and when it is durable, and give what a parked record carries on", () => {
    const at = given("00-trace");
    at.outcomes.park(at.workAt(1));
    at.outcomes.register(at.workAt(2), { object, shownBy: "created", reply });
    at.outcomes.deadLetter(at.workAt(3), refusal, null);
    at.outcomes.moveHome(at.workAt(4), 2, contoso);
    assert.deepEqual(at.traced, [
      "sending retry 0 ",
      "sending registered 0 ",
      "sending dlq 0 graph-422",
      "sending enrolled 2 ",
    ]);
    for (const entry of at.entries) entry.done(true, 0);
    assert.deepEqual(at.traced.slice(4), ["sent", "sent", "sent", "sent"]);
    const [name, value] = at.entries[0]!.record.headers.at(-1)!;
    assert.deepEqual([name, new TextDecoder().decode(value!)], ["traceparent", "00-trace"]);
  });

  test("that have nothing to pass on, or are turned off, leave a parked record as it is", () => {
    for (const traceparent of [null, undefined]) {
      const at = given(traceparent);
      at.outcomes.park(at.workAt(1));
      assert.deepEqual(
        headerNames({ ...at.entries[0]!.record, offset: 0, timestampMs: 0, leaderEpoch: -1 }),
        ["origin"],
      );
    }
  });
});
