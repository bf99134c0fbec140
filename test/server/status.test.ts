/** `GET /enrollments/{key}`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleEvent } from "../../lab/testkit/samples.ts";
import { createRecent } from "../../src/server/intake/recent.ts";
import { enrollment, keyOf, refused, registered, serviceFor } from "./service-harness.ts";

const key = keyOf();

test("registered: the Graph id and by which attempt; the key in any case", async (t) => {
  const { ask, index } = await serviceFor(t);
  index.known.set(key, registered(key, "graph-1"));
  const { status, body } = await ask(`/enrollments/${key.toUpperCase()}`);
  assert.equal(status, 200);
  assert.deepEqual([body.state, body.key, body.machineName], ["registered", key, "Machine Name value"]);
  assert.deepEqual(body.registered, {
    ...{ graphId: "graph-1", outcome: "created", attempts: 1, requestId: "r-1" },
    ...{ at: "1970-01-01T00:00:02.000Z", position: "registered/3/2" },
  });
});

test("refused: code, pointers, and whether it was replayed", async (t) => {
  const { ask, index } = await serviceFor(t);
  index.known.set(key, refused(key, "enrolled/3/7"));
  const { body } = await ask(`/enrollments/${key}`);
  assert.equal(body.state, "refused");
  const { id, code, pointers, replayed } = body.refused;
  assert.deepEqual(
    [id, code, pointers, replayed],
    ["enrolled/3/7", "graph-refused", ["/data/machineName"], false],
  );
});

for (const [what, position, why, expected] of [
  ["the worker", { topic: "enrolled", partition: 3, offset: 7 }, null, "worker"],
  ["its tenant, parked", { topic: "retry", partition: 3, offset: 1 }, null, "parked"],
  [
    "its tenant, and a worker of this process knows why",
    { topic: "retry", partition: 3, offset: 1 },
    "403",
    "tenant",
  ],
] as const) {
  test(`waiting for ${what}`, async (t) => {
    const { ask, index } = await serviceFor(t, { parts: { whyTenantWaits: () => why } });
    index.known.set(key, enrollment(key, { waiting: { position } }));
    const { body } = await ask(`/enrollments/${key}`);
    assert.equal(body.waiting.for, expected);
    assert.equal(body.waiting.position, `${position.topic}/3/${position.offset}`);
  });
}

test("an event that was just taken in is waiting, although the index has not read it", async (t) => {
  const { ask, post } = await serviceFor(t);
  const { headers } = await post(sampleEvent);
  const { status, body } = await ask(headers.get("location")!);
  assert.deepEqual([status, body.state, body.eventId], [200, "waiting", sampleEvent.id]);
});

test("unknown: 404; while the index is behind: 503 with Retry-After; no UUID: 400", async (t) => {
  const { ask, index } = await serviceFor(t);
  assert.deepEqual((await ask(`/enrollments/${key}`)).body.code, "enrollment-unknown");
  index.caughtUp = false;
  const behind = await ask(`/enrollments/${key}`);
  assert.deepEqual(
    [behind.status, behind.body.code, behind.headers.get("retry-after")],
    [503, "index-behind", "2"],
  );
  const malformed = await ask("/enrollments/x");
  assert.deepEqual([malformed.status, malformed.body.code], [400, "key-malformed"]);
});

test("what was taken in lately is remembered up to a number, the oldest goes first, and no record stays with it", () => {
  const recent = createRecent(2);
  const event = (name: string) => ({
    key: name,
    tenantId: "t",
    eventId: "e",
    record: { value: Buffer.alloc(8) },
  });
  for (const name of ["a", "b", "c", "d", "e"]) recent.note(event(name));
  assert.deepEqual([recent.find("a"), recent.find("b")], [null, null]);
  for (const name of ["d", "e"])
    assert.deepEqual(recent.find(name), { key: name, tenantId: "t", eventId: "e" });
});
