/** What becomes of one enrollment, as the index tells it, however the topics say it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, keyOf } from "../../lab/testkit/enrollments.ts";
import { bytes, json } from "../../lab/testkit/samples.ts";
import { movedRecord } from "../../src/domain/origin.ts";
import type { EnrollmentState } from "../../src/index/enrollment-index.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";
import { event, indexPath, MemoryTopics, openOn, refused, registered, startMs } from "./topics.ts";

/** Each step is read by itself, and all of them together from the beginning: both must give the same. */
async function both(
  t: { after(end: () => void): void },
  topics: MemoryTopics,
  steps: readonly (() => void)[],
): Promise<ReturnType<typeof openOn>> {
  const stepwise = openOn(topics.log, indexPath(t));
  t.after(() => stepwise.index.close());
  await stepwise.read();
  for (const step of steps) {
    step();
    await stepwise.read();
  }
  const atOnce = openOn(topics.log, indexPath(t));
  await atOnce.read();
  const all = { limit: 100 };
  assert.deepEqual(atOnce.index.search(all).rows, stepwise.index.search(all).rows);
  assert.deepEqual(atOnce.index.counts(), stepwise.index.counts());
  assert.deepEqual(atOnce.index.tenantCounts(), stepwise.index.tenantCounts());
  for (const { tenantId, ...counts } of atOnce.index.tenantCounts())
    for (const [state, count] of Object.entries(counts) as [EnrollmentState, number][])
      assert.equal(
        count,
        atOnce.index.search({ ...all, tenantIds: [tenantId], state }).rows.length,
        `${tenantId} ${state}`,
      );
  atOnce.index.close();
  return stepwise;
}

const key = keyOf({});
const replayOf = (record: LogRecord, id: string): NewRecord => ({
  ...record,
  topic: "enrolled",
  headers: [...record.headers, ["replayed-from", bytes(id)]],
});

test("an event waits, then it is registered, with all that its record says", async (t) => {
  const topics = new MemoryTopics();
  const { index } = await both(t, topics, [() => topics.append(event({}))]);
  assert.deepEqual(index.find(key), {
    id: key,
    key,
    tenantId: contoso,
    machineName: "HOST-1",
    connectorName: "connector",
    enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
    eventId: "event-1",
    source: "/installers/17",
    state: "waiting",
    atMs: startMs + 1000,
    position: { topic: "enrolled", partition: 0, offset: 0 },
    enrolledAtMs: startMs + 1000,
    waiting: { position: { topic: "enrolled", partition: 0, offset: 0 } },
    registered: null,
    refused: null,
  });
  const { index: later } = await both(t, topics, [
    () => topics.append(registered({ graphId: "a graph id" })),
  ]);
  const found = later.find(key.toUpperCase());
  assert.equal(found?.state, "registered");
  assert.equal(found?.waiting, null);
  assert.deepEqual(found?.registered, {
    graphId: "a graph id",
    requestId: "22222222-0000-4000-8000-000000000002",
    status: 201,
    outcome: "created",
    attempts: 1,
    atMs: startMs + 5000,
    position: { topic: "registered", partition: 0, offset: 0 },
  });
  assert.deepEqual(later.counts(), { waiting: 0, registered: 1, refused: 0, deadLetters: [] });
});

test("refused, replayed, registered: it waits in between, and both are shown in the end", async (t) => {
  const topics = new MemoryTopics();
  let first: LogRecord;
  const steps = [
    () => {
      first = topics.append(event({}));
      topics.append(refused(first));
    },
  ];
  const { index } = await both(t, topics, steps);
  assert.equal(index.find(key)?.state, "refused");
  assert.deepEqual(index.find(key)?.refused, {
    id: "enrolled/0/0",
    code: "graph-400",
    message: "Graph refused it.",
    pointers: ["/data/machineName"],
    attempts: 2,
    requestId: "33333333-0000-4000-8000-000000000003",
    atMs: startMs + 1500,
    replayed: false,
    position: { topic: "dlq", partition: 0, offset: 0 },
  });
  assert.deepEqual(index.counts().deadLetters, [{ code: "graph-400", total: 1, open: 1 }]);

  const replayed = await both(t, topics, [() => topics.append(replayOf(first, "enrolled/0/0"))]);
  const waiting = replayed.index.find(key);
  assert.equal(waiting?.state, "waiting");
  assert.deepEqual(waiting?.waiting, { position: { topic: "enrolled", partition: 0, offset: 1 } });
  assert.equal(waiting?.refused?.replayed, true);
  assert.deepEqual(replayed.index.counts().deadLetters, [{ code: "graph-400", total: 1, open: 0 }]);

  const done = await both(t, topics, [() => topics.append(registered({ offset: 1 }))]);
  const registeredThen = done.index.find(key);
  assert.equal(registeredThen?.state, "registered");
  assert.equal(registeredThen?.refused?.code, "graph-400");
  assert.equal(done.index.search({ code: "graph-400", limit: 5 }).rows.length, 1);
});

test("a replay that is refused again names its predecessor, which is open no more", async (t) => {
  const topics = new MemoryTopics();
  const first = topics.append(event({}));
  topics.append(refused(first));
  const again = topics.append(replayOf(first, "enrolled/0/0"));
  const { index } = await both(t, topics, [() => topics.append(refused(again, "graph-422"))]);
  const found = index.find(key);
  assert.deepEqual(
    [found?.state, found?.refused?.id, found?.refused?.code],
    ["refused", "enrolled/0/1", "graph-422"],
  );
  assert.deepEqual(index.find("enrolled/0/0")?.key, key);
  assert.deepEqual(index.counts().deadLetters, [
    { code: "graph-400", total: 1, open: 0 },
    { code: "graph-422", total: 1, open: 1 },
  ]);
});

test("a dead letter without an enrollment is a row of its own, under the dead letter's id", async (t) => {
  const topics = new MemoryTopics();
  const broken = () => {
    const record = topics.append({ ...event({}), value: bytes("no JSON") });
    topics.append(refused(record, "value-not-json"));
  };
  const { index } = await both(t, topics, [broken, broken]);
  const { rows } = index.search({ state: "refused", limit: 10 });
  assert.deepEqual(
    rows.map(({ id, key, tenantId }) => [id, key, tenantId]),
    [
      ["enrolled/0/1", null, contoso],
      ["enrolled/0/0", null, contoso],
    ],
  );
  assert.equal(index.find("enrolled/0/0")?.refused?.code, "value-not-json");
  assert.equal(index.counts().waiting, 0);
});

test("a parked record stands in the retry topic, under the place where it was first stored", async (t) => {
  const topics = new MemoryTopics();
  const park = (record: LogRecord) =>
    topics.append(movedRecord(record, { topic: "retry", partition: 0, key: record.key }));
  let parked: LogRecord;
  const { index } = await both(t, topics, [
    () => {
      parked = park(topics.append(event({})));
    },
    () => park(parked),
  ]);
  const found = index.find(key);
  assert.deepEqual(found?.position, { topic: "enrolled", partition: 0, offset: 0 });
  assert.deepEqual(found?.waiting?.position, { topic: "retry", partition: 0, offset: 1 });
});

test("a record in another tenant's partition and its copy at home are one enrollment", async (t) => {
  const topics = new MemoryTopics();
  // Contoso's home is partition 0 of 2.
  const astray = topics.append(event({}, 1));
  const home = topics.append(movedRecord(astray, { topic: "enrolled", partition: 0, key: astray.key }));
  const { index } = await both(t, topics, [() => topics.append(refused(home))]);
  assert.deepEqual(index.counts(), {
    ...{ waiting: 0, registered: 0, refused: 1 },
    deadLetters: [{ code: "graph-400", total: 1, open: 1 }],
  });
});

test("the same event again changes nothing once it is registered", async (t) => {
  const topics = new MemoryTopics();
  topics.append(event({}));
  topics.append(registered({}));
  const { index } = await both(t, topics, [() => topics.append(event({ event: "event-2" }))]);
  assert.deepEqual([index.find(key)?.state, index.find(key)?.eventId], ["registered", "event-1"]);
});

test("of two registered records of one key the earlier one counts, in whatever order they are read", async (t) => {
  const later = registered({ graphId: "later", registeredAt: startMs + 9000 }, 0);
  const earlier = registered({ graphId: "earlier", registeredAt: startMs + 1000, outcome: "recovered" }, 1);
  for (const order of [
    [later, earlier],
    [earlier, later],
  ]) {
    const topics = new MemoryTopics();
    const { index } = await both(
      t,
      topics,
      order.map((record) => () => topics.append(record)),
    );
    assert.equal(index.find(key)?.registered?.graphId, "earlier");
    assert.equal(index.counts().registered, 1);
    assert.equal(index.search({ graphId: "later", limit: 1 }).rows.length, 0);
  }
});

test("a tombstone removes what was registered before it, and what is known without is seen again", async (t) => {
  const tombstone = { ...registered({}), value: null };
  const topics = new MemoryTopics();
  topics.append(event({}));
  const { index } = await both(t, topics, [
    () => topics.append(registered({})),
    () => topics.append(tombstone),
  ]);
  assert.equal(index.find(key)?.state, "waiting");
  assert.equal(index.search({ state: "registered", limit: 1 }).rows.length, 0);

  const again = await both(t, topics, [() => topics.append(registered({ graphId: "second" }))]);
  assert.equal(again.index.find(key)?.registered?.graphId, "second");

  const refusedToo = new MemoryTopics();
  const first = refusedToo.append(event({}));
  refusedToo.append(refused(first));
  refusedToo.append(registered({}));
  const { index: left } = await both(t, refusedToo, [() => refusedToo.append(tombstone)]);
  assert.equal(left.find(key)?.state, "refused");
});

test("a record that is neither registered, a dead letter nor an event makes no row", async (t) => {
  const topics = new MemoryTopics();
  const junk = [null, bytes(""), bytes("{}"), bytes("[1"), json({ id: key }), bytes("\u0000")];
  const { index } = await both(
    t,
    topics,
    (["registered", "dlq", "enrolled", "retry"] as const).flatMap((topic) =>
      junk.map((value) => () => topics.append({ topic, partition: 0, key: bytes(key), value, headers: [] })),
    ),
  );
  assert.deepEqual(index.search({ limit: 10 }).rows, []);
});

test("a producer's header says of another enrollment's dead letter nothing", async (t) => {
  const topics = new MemoryTopics();
  topics.append(refused(topics.append(event({}))));
  const { index } = await both(t, topics, [
    () =>
      topics.append({ ...event({ machine: "OTHER" }), headers: [["replayed-from", bytes("enrolled/0/0")]] }),
  ]);
  assert.equal(index.find(key)?.refused?.replayed, false);
});
