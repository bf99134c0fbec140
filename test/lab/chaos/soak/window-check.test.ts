/** What a soak counts, while it forgets what is over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSamples } from "../../../../lab/chaos/emission.ts";
import { createWindowCheck } from "../../../../lab/chaos/soak/window-check.ts";
import type { EnrollmentEvent } from "../../../../src/cli/samples/enrollment-event.ts";
import type { LogRecord } from "../../../../src/ports.ts";

const times = { settledMs: 90_000, forgetMs: 300_000, limitMs: 480_000 };

function enrollments(count: number): EnrollmentEvent[] {
  const samples = createSamples(1, 8);
  const found: EnrollmentEvent[] = [];
  while (found.length < count) {
    const { event } = samples.next();
    if (event !== null) found.push(event);
  }
  return found;
}

function record(topic: "registered" | "dlq", value: string): LogRecord {
  return {
    ...{ topic, partition: 0, offset: 0, key: null, headers: [], timestampMs: 0, leaderEpoch: -1 },
    value: new TextEncoder().encode(value),
  };
}

function registeredRecord({ tenantId, data }: EnrollmentEvent, graphId: string): LogRecord {
  const event = { id: `key of ${graphId}`, data: { id: graphId, tenantId, outcome: "created", ...data } };
  return record("registered", JSON.stringify(event));
}

const [one, two] = enrollments(2);

function started(...events: EnrollmentEvent[]) {
  const check = createWindowCheck(times);
  for (const { tenantId, data } of events) check.emitted(tenantId, data, 0);
  return check;
}
const inGraph = (...objects: (readonly [EnrollmentEvent, string])[]) =>
  Object.fromEntries(
    [...Map.groupBy(objects, ([{ tenantId }]) => tenantId)].map(([tenantId, some]) => [
      tenantId,
      some.map(([{ data }, id]) => ({ id, ...data })),
    ]),
  );

test("one object and one record each: nothing to complain about, and in the end nothing is kept", () => {
  const check = started(one!, two!);
  assert.equal(check.waiting(), 2);
  assert.equal(check.registered(registeredRecord(one!, "a"), 1_000), 1_000);
  assert.equal(check.registered(registeredRecord(two!, "b"), 2_000), 2_000);
  assert.deepEqual(
    check.inventory(inGraph([one!, "a"], [two!, "b"]), 60_000),
    [],
    "too early to take them out",
  );
  const removable = check.inventory(inGraph([one!, "a"], [two!, "b"]), 120_000);
  assert.deepEqual(
    removable.map(({ id }) => id),
    ["a", "b"],
  );
  for (const gone of removable) check.removed(gone, 121_000);
  check.sweep(200_000);
  assert.equal(check.kept(), 2, "what comes late is still known");
  check.sweep(500_000);
  check.finish();
  assert.equal(check.kept(), 0);
  assert.deepEqual(check.problems, []);
  const { emitted, registered, duplicateObjects, lost } = check.counts;
  assert.deepEqual([emitted, registered, duplicateObjects, lost], [2, 2, 0, 0]);
});

test("an object that was taken out without an answer that says so is not lost", () => {
  const check = started(one!);
  check.registered(registeredRecord(one!, "a"), 1_000);
  assert.equal(check.inventory(inGraph([one!, "a"]), 120_000).length, 1);
  assert.deepEqual(check.inventory({}, 180_000), []);
  check.finish();
  assert.deepEqual([check.counts.lost, check.problems], [0, []]);
});

test("second objects are seen beside the first, after it was taken out, and after all was forgotten", () => {
  const beside = started(one!);
  beside.registered(registeredRecord(one!, "a"), 1_000);
  beside.inventory(inGraph([one!, "a"], [one!, "more"]), 60_000);
  assert.match(beside.problems.join(), /^more is an object too many/);
  const later = started(one!);
  later.registered(registeredRecord(one!, "a"), 1_000);
  for (const gone of later.inventory(inGraph([one!, "a"]), 120_000)) later.removed(gone, 121_000);
  later.inventory(inGraph([one!, "late"]), 180_000);
  assert.equal(later.counts.duplicateObjects, 1);
  later.sweep(900_000);
  later.inventory(inGraph([one!, "very late"]), 960_000);
  assert.equal(later.counts.duplicateObjects, 2);
});

test("lost: no record, no object, no dead letter; what takes too long is said before the end", () => {
  const check = started(one!, two!);
  check.emittedBad(record("dlq", "{") as never, 0);
  check.registered(registeredRecord(two!, "b"), 1_000);
  check.inventory({}, 60_000);
  check.sweep(500_000);
  check.finish();
  assert.equal(check.counts.lost, 3);
  const said = check.problems.join("\n");
  for (const what of [
    /^registered as b, which Graph doesn't hold/m,
    /^not registered within 480 s/m,
    /^lost: 1 bad/m,
  ])
    assert.match(said, what);
});

test("a record that Graph holds before its registered record was read is not missing", () => {
  const check = started(one!);
  check.inventory(inGraph([one!, "a"]), 60_000);
  check.registered(registeredRecord(one!, "a"), 61_000);
  check.inventory({}, 60_500);
  assert.deepEqual([check.problems, check.counts.lost], [[], 0]);
});

test("a second record is counted; one that differs, and one of nothing that is known, is a problem", () => {
  const check = started(one!);
  check.registered(registeredRecord(one!, "a"), 1_000);
  assert.equal(check.registered(registeredRecord(one!, "a"), 2_000), null);
  assert.deepEqual([check.counts.duplicateRegistered, check.problems], [1, []]);
  check.registered(registeredRecord(one!, "other"), 3_000);
  check.registered(registeredRecord(two!, "b"), 3_000);
  assert.match(check.problems.join("\n"), /^two registered records differ.*\nregistered, but never emitted/);
});

test("bad records are identified by their values: as many dead letters as records; for a while more are not a fault", () => {
  const check = started();
  const bad = record("dlq", '["x"]');
  check.emittedBad(bad as never, 0);
  check.emittedBad(bad as never, 1_000);
  check.deadLetter(bad, 2_000);
  assert.equal(check.waiting(), 1);
  check.deadLetter(bad, 3_000);
  check.deadLetter(bad, 4_000);
  assert.deepEqual([check.waiting(), check.problems], [0, []]);
  check.deadLetter(record("dlq", "good"), 5_000);
  assert.match(check.problems.join(), /^a dead letter of a good record/);
});

test("what is kept does not grow with the run", () => {
  const check = createWindowCheck(times);
  const samples = createSamples(5, 8);
  let most = 0;
  for (let atMs = 0; atMs < 7_200_000; atMs += 60_000) {
    const fresh: EnrollmentEvent[] = [];
    while (fresh.length < 5) {
      const { event } = samples.next();
      if (event !== null) fresh.push(event);
    }
    for (const event of fresh) {
      check.emitted(event.tenantId, event.data, atMs);
      check.registered(registeredRecord(event, event.id), atMs);
    }
    held.push(...fresh.map((event) => [event, event.id] as const));
    const gone = check.inventory(inGraph(...held), atMs + 1);
    for (const each of gone) check.removed(each, atMs + 2);
    const ids = new Set(gone.map(({ id }) => id));
    held.splice(0, held.length, ...held.filter(([, id]) => !ids.has(id)));
    check.sweep(atMs + 3);
    most = Math.max(most, check.kept());
  }
  assert.deepEqual(check.problems, []);
  assert.ok(most <= 5 * 10, `${most} entries`);
});
const held: (readonly [EnrollmentEvent, string])[] = [];
