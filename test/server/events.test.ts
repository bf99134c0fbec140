/** `POST /events`, as installers meet it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { documentedDetails, sampleEvent } from "../../lab/testkit/samples.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { limits } from "../../src/server/http/limits.ts";
import { batch, eventFor, keyOf, refused, registered, serviceFor, until } from "./service-harness.ts";

const home = homePartition(sampleEvent.tenantid, 4);

test("a structured event is stored byte for byte in its tenant's home partition, then answered 202", async (t) => {
  const { post, memory } = await serviceFor(t);
  const text = JSON.stringify(sampleEvent, null, 3);
  const { status, body, headers } = await post(text);
  assert.equal(status, 202);
  assert.deepEqual(body, {
    ...{ key: keyOf(), id: "event-1", tenantId: sampleEvent.tenantid, state: "waiting", known: false },
    status: `/enrollments/${keyOf()}`,
  });
  assert.equal(headers.get("location"), `/enrollments/${keyOf()}`);
  const [record] = memory.records("enrolled", home);
  assert.equal(Buffer.from(record!.value!).toString(), text);
  assert.equal(Buffer.from(record!.key!).toString(), sampleEvent.tenantid);
});

test("a binary event is stored with its attributes as ce_ headers, percent-decoded once", async (t) => {
  const { post, memory } = await serviceFor(t);
  const { status, body } = await post(
    documentedDetails,
    {
      ...{
        "ce-specversion": "1.0",
        "ce-id": "%C3%A9%20%2541",
        "ce-source": '"a \\"b\\""',
        "ce-type": "connector.enrolled",
      },
      "ce-tenantid": sampleEvent.tenantid.toUpperCase(),
    },
    "application/json",
  );
  assert.equal(status, 202, JSON.stringify(body));
  assert.equal(body.id, "é %41");
  const [record] = memory.records("enrolled", home);
  const headers = new Map(record!.headers.map(([name, value]) => [name, Buffer.from(value!).toString()]));
  assert.equal(headers.get("ce_id"), "é %41");
  assert.equal(headers.get("ce_source"), 'a "b"');
  assert.equal(Buffer.from(record!.key!).toString(), sampleEvent.tenantid);
});

test("a batch keeps its order and each item's bytes, and is one append", async (t) => {
  const { post, memory } = await serviceFor(t);
  const events = ["a", "b", "c"].map((id) => eventFor({ id }, { machineName: id }));
  const { status, body } = await post(events, {}, batch);
  assert.equal(status, 202);
  assert.deepEqual(
    body.events.map(({ id }: { id: string }) => id),
    ["a", "b", "c"],
  );
  assert.equal(memory.appends.length, 1);
  const stored = memory
    .records("enrolled", home)
    .map(({ value }) => JSON.parse(Buffer.from(value!).toString()));
  assert.deepEqual(stored, events);
});

test("what the worker would refuse is refused with its code and pointers, and nothing is stored", async (t) => {
  const { post, memory } = await serviceFor(t);
  const { status, body, headers } = await post(eventFor({}, { enrollmentDateTime: "yesterday" }));
  assert.equal(status, 400);
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(body.code, "date-time-malformed");
  assert.deepEqual(body.pointers, ["/data/enrollmentDateTime"]);
  assert.equal(body.type, "urn:connector-registrar:problem:date-time-malformed");
  assert.equal(memory.appends.length, 0);
});

test("one bad event in a batch: each has its verdict, and nothing is stored", async (t) => {
  const { post, memory } = await serviceFor(t);
  const { status, body } = await post([eventFor(), eventFor({ tenantid: "x" }), 7], {}, batch);
  assert.equal(status, 400);
  assert.equal(body.code, "events-refused");
  assert.deepEqual(
    body.events.map(({ ok, code }: { ok: boolean; code?: string }) => (ok ? "ok" : code)),
    ["ok", "tenant-malformed", "value-not-object"],
  );
  assert.equal(memory.appends.length, 0);
});

for (const [name, status, code, body, headers, type] of [
  ["no media type that is read", 415, "media-type-unsupported", "a", {}, "text/plain"],
  ["CloudEvents as XML", 415, "media-type-unsupported", "<a/>", {}, "application/cloudevents+xml"],
  [
    "another charset",
    415,
    "charset-unsupported",
    "{}",
    {},
    "application/cloudevents+json; charset=iso-8859-1",
  ],
  ["a compressed body", 415, "content-encoding-unsupported", "{}", { "content-encoding": "gzip" }, undefined],
  ["no JSON", 400, "value-not-json", "{", {}, undefined],
  ["an empty body", 400, "value-empty", "", {}, undefined],
  ["a batch that is not an array", 400, "batch-not-array", "{}", {}, batch],
  ["an empty batch", 400, "batch-empty", "[]", {}, batch],
  ["a batch with a comma too many", 400, "events-refused", "[{},]", {}, batch],
  ["a page of another site", 403, "cross-site", "{}", { origin: "http://evil.example" }, undefined],
  ["an answer that is not wanted as JSON", 406, "not-acceptable", "{}", { accept: "text/html" }, undefined],
] as const) {
  test(`${name}: ${status} ${code}`, async (t) => {
    const { post, memory } = await serviceFor(t);
    const answer = await post(body, headers, type);
    assert.deepEqual([answer.status, answer.body.code], [status, code]);
    assert.ok(answer.body.fix.length > 0 && answer.body.message.length > 0);
    assert.equal(memory.appends.length, 0);
  });
}

test("a body and a batch beyond their limits are 413, and each limit has its count", async (t) => {
  const { post, metrics } = await serviceFor(t);
  const large = await post("x".repeat(limits.bodyBytes + 1));
  assert.deepEqual([large.status, large.body.code], [413, "body-too-large"]);
  const long = await post(`[${"1,".repeat(limits.batchEvents)}1]`, {}, batch);
  assert.deepEqual([long.status, long.body.code], [413, "batch-too-long"]);
  const text = await metrics.text();
  assert.match(text, /bounds_met_total\{bound="body-bytes"\} 1/);
  assert.match(text, /bounds_met_total\{bound="batch-events"\} 1/);
});

test("while the log does not confirm there is no answer; when it fails it is 503 with Retry-After", async (t) => {
  const { post, memory, notes, pending } = await serviceFor(t);
  memory.appendScript.push("unacknowledged");
  const release = memory.hold("append");
  let answered = false;
  const asked = post(sampleEvent).then((answer) => {
    answered = true;
    return answer;
  });
  await until(async () => (await pending()) === 1);
  assert.equal(answered, false);
  release();
  const { status, body, headers } = await asked;
  assert.deepEqual([status, body.code, headers.get("retry-after")], [503, "log-unavailable", "5"]);
  assert.deepEqual(
    notes.map(({ level, event }) => `${level} ${event}`),
    ["error append-failed"],
  );
  assert.ok(!JSON.stringify(notes).includes(sampleEvent.data.machineName), "no event in a line");
});

test("a log that is not open yet is 503", async (t) => {
  const { post } = await serviceFor(t, { parts: { log: () => null } });
  const { status, headers } = await post(sampleEvent);
  assert.deepEqual([status, headers.get("retry-after")], [503, "2"]);
});

test("requests that come while an append is under way share the next one", async (t) => {
  const { post, memory, pending } = await serviceFor(t);
  const release = memory.hold("append");
  const first = post(eventFor({ id: "0" }));
  const others = Array.from({ length: 20 }, (_, n) =>
    post(eventFor({ id: String(n + 1) }, { machineName: `m${n}` })),
  );
  await until(async () => (await pending()) === 21);
  release();
  const answers = await Promise.all([first, ...others]);
  assert.ok(answers.every(({ status }) => status === 202));
  assert.ok(memory.appends.length <= 3, `${memory.appends.length} appends`);
});

test("an enrollment that is registered already is not stored again: 200 with its Graph id", async (t) => {
  const { post, index, memory } = await serviceFor(t);
  index.known.set(keyOf(), registered(keyOf(), "graph-1"));
  const { status, body } = await post(sampleEvent);
  assert.equal(status, 200);
  assert.deepEqual([body.state, body.known, body.graphId], ["registered", true, "graph-1"]);
  assert.equal(memory.appends.length, 0);
});

test("an enrollment that was refused is stored again, and known", async (t) => {
  const { post, index, memory } = await serviceFor(t);
  index.known.set(keyOf(), refused(keyOf(), "enrolled/3/0"));
  const { status, body } = await post(sampleEvent);
  assert.deepEqual([status, body.state, body.known], [202, "waiting", true]);
  assert.equal(memory.appends.length, 1);
});

test("Prefer: wait holds the answer until it is registered: 201 with the Graph id", async (t) => {
  const { post, index, memory } = await serviceFor(t);
  const asked = post(sampleEvent, { prefer: "respond-async, wait=30" });
  await until(() => memory.records("enrolled", home).length === 1 && index.waiting(keyOf()) === 1);
  index.settle(registered(keyOf(), "graph-9"));
  const { status, body, headers } = await asked;
  assert.equal(status, 201);
  assert.deepEqual([body.state, body.graphId, body.known], ["registered", "graph-9", false]);
  assert.equal(headers.get("preference-applied"), "wait=30");
  assert.equal(headers.get("location"), `/enrollments/${keyOf()}`);
});

test("Prefer: wait, and the time is up: 202", async (t) => {
  const { post, index, memory, clock } = await serviceFor(t);
  const asked = post(sampleEvent, { prefer: "wait=30" });
  await until(() => memory.records("enrolled", home).length === 1 && clock.pendingTimers === 1);
  clock.advance(29_999);
  assert.equal(index.waiting(keyOf()), 1);
  clock.advance(1);
  const { status, body } = await asked;
  assert.deepEqual([status, body.state], [202, "waiting"]);
  assert.equal(index.waiting(keyOf()), 0);
});

test("Prefer: wait, and the worker refuses this event: 422 with the dead letter's code; another copy's refusal does not count", async (t) => {
  const { post, index, memory, clock } = await serviceFor(t);
  const asked = post(sampleEvent, { prefer: "wait=30" });
  await until(() => memory.records("enrolled", home).length === 1 && clock.pendingTimers === 1);
  index.settle(refused(keyOf(), `enrolled/${home}/99`));
  assert.equal(index.waiting(keyOf()), 1);
  index.settle(refused(keyOf(), `enrolled/${home}/0`));
  const { status, body } = await asked;
  assert.equal(status, 422);
  assert.deepEqual([body.code, body.pointers, body.key], ["graph-refused", ["/data/machineName"], keyOf()]);
});

test("a client that goes away while it waits is waited for no longer", async (t) => {
  const { service, index, memory, clock } = await serviceFor(t);
  const leaving = new AbortController();
  const asked = fetch(`${service.url}/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json", prefer: "wait=30" },
    body: JSON.stringify(sampleEvent),
    signal: leaving.signal,
  });
  await until(() => memory.records("enrolled", home).length === 1 && clock.pendingTimers === 1);
  leaving.abort();
  await assert.rejects(asked);
  await until(() => index.waiting(keyOf()) === 0 && clock.pendingTimers === 0);
});

test("a batch that waits: 201 when all are registered, 202 with each state when not", async (t) => {
  const { post, index, clock } = await serviceFor(t);
  const machines = ["a", "b"];
  const keys = machines.map((machineName) => keyOf({ machineName }));
  const send = () =>
    post(
      machines.map((machineName) => eventFor({}, { machineName })),
      { prefer: "wait=5" },
      batch,
    );
  const first = send();
  await until(() => clock.pendingTimers === 1);
  index.settle(registered(keys[0]!, "g-a"));
  clock.advance(5_000);
  const partly = await first;
  assert.equal(partly.status, 202);
  assert.deepEqual(
    partly.body.events.map(({ state }: { state: string }) => state),
    ["registered", "waiting"],
  );
  const second = send();
  await until(() => clock.pendingTimers === 1);
  index.settle(registered(keys[1]!, "g-b"));
  assert.equal((await second).status, 201);
});

test("too many that wait already: 429, and nothing is stored", async (t) => {
  const { post, index, memory } = await serviceFor(t);
  index.waitersMax = 0;
  const { status, body } = await post(sampleEvent, { prefer: "wait=5" });
  assert.deepEqual([status, body.code, memory.appends.length], [429, "too-many-waiters", 0]);
});

test("beyond the rate: 429 with Retry-After, and after that time it is taken", async (t) => {
  const { post, clock } = await serviceFor(t, { parts: { eventsPerSecond: 50 } });
  const many = Array.from({ length: 500 }, (_, n) => eventFor({ id: String(n) }, { machineName: `m${n}` }));
  assert.equal((await post(many, {}, batch)).status, 202);
  const refusedAnswer = await post(many.slice(0, 60), {}, batch);
  assert.deepEqual([refusedAnswer.status, refusedAnswer.body.code], [429, "rate-exceeded"]);
  assert.equal(refusedAnswer.headers.get("retry-after"), "2");
  clock.advance(2_000);
  assert.equal((await post(many.slice(0, 60), {}, batch)).status, 202);
});

test("a stop answers waiting requests immediately, confirms what was given to the log, and refuses new ones", async (t) => {
  const { post, service, memory, clock, pending } = await serviceFor(t);
  const waiting = post(sampleEvent, { prefer: "wait=30" });
  await until(() => memory.records("enrolled", home).length === 1 && clock.pendingTimers === 1);
  const release = memory.hold("append");
  const storing = post(eventFor({ id: "2" }, { machineName: "two" }));
  await until(async () => (await pending()) === 1);
  const stopped = service.stop(1_000_000);
  assert.equal((await waiting).status, 202);
  release();
  assert.equal((await storing.catch(() => ({ status: "cut off" }))).status, 202);
  await stopped;
  await assert.rejects(post(sampleEvent));
});
