/** What a worker reports to traces: where each record stands, and each request with its answers. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { contoso, fabrikam, keyOf } from "../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../lab/testkit/registrar-world.ts";
import { answers, lostAfterCreating } from "../../lab/testkit/scripted-graph.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import type { Position } from "../../src/observer.ts";
import type { RecordTraces } from "../../src/trace-port.ts";

/** Calls as text, records by `topic/partition/offset`. */
function traced(t: TestContext, partitions = 1) {
  const world = createWorld(t, { partitions });
  const calls: string[] = [];
  const ids: (string | null)[] = [];
  const at = ({ topic, partition, offset }: Position) => `${topic}/${partition}/${offset}`;
  const traces: RecordTraces = {
    taken: (record, enrollment) =>
      void calls.push(`taken ${at(record)} ${enrollment?.eventId} ${enrollment?.idempotencyKey}`),
    asked({ operation, tenantId, items }) {
      const of = items.map(({ record, attempt }) => `${at(record)} #${attempt}`);
      calls.push(`${operation} ${tenantId} ${of.join(", ")}`);
      ids.push(...items.map(({ clientRequestId }) => clientRequestId));
      return (replies) => {
        const said = replies.map((reply) => (reply.kind === "answer" ? reply.status : reply.kind));
        calls.push(`answered ${said.join(", ")}`);
      };
    },
    sending(record, { to, partition, refusal }) {
      calls.push(`sending ${at(record)} to ${to}/${partition} ${refusal}`);
      return null;
    },
    sent: (record) => void calls.push(`sent ${at(record)}`),
    settled: (record) => void calls.push(`settled ${at(record)}`),
  };
  return { world, calls, ids, start: () => world.start({ maxInFlight: 1 }, { traces }) };
}

test("an enrollment is traced from when it was read until it is settled, each create with the id that is sent", async (t) => {
  const { world, calls, ids, start } = traced(t);
  world.emit({});
  start();
  await world.untilRegistered(1);
  await world.time.pass(1_000);
  assert.deepEqual(calls, [
    `taken enrolled/0/0 event-1 ${keyOf({})}`,
    `create ${contoso} enrolled/0/0 #1`,
    "answered 201",
    "sending enrolled/0/0 to registered/0 null",
    "sent enrolled/0/0",
    "settled enrolled/0/0",
  ]);
  assert.deepEqual(
    ids,
    world.creates().flatMap(({ items }) => items.map(({ clientRequestId }) => clientRequestId)),
  );
});

test("records that share a request share what is traced of it, and attempts are counted", async (t) => {
  const { world, calls, start } = traced(t);
  world.graph.script(contoso, answers(429, { retryAfter: "1" }));
  world.emit(...many(3, contoso));
  start();
  await world.untilRegistered(3);
  assert.deepEqual(
    calls.filter((call) => /^(create|answered)/.test(call)),
    [
      `create ${contoso} enrolled/0/0 #1, enrolled/0/1 #1, enrolled/0/2 #1`,
      "answered 429, 201, 201",
      `create ${contoso} enrolled/0/0 #2`,
      "answered 201",
    ],
  );
});

test("a read-back is traced as a request, and is no attempt", async (t) => {
  const { world, calls, start } = traced(t);
  world.graph.script(contoso, lostAfterCreating);
  world.emit({});
  start();
  await world.untilRegistered(1);
  assert.deepEqual(calls.slice(1, 5), [
    `create ${contoso} enrolled/0/0 #1`,
    "answered silence",
    `list ${contoso} enrolled/0/0 #0`,
    "answered listed",
  ]);
});

test("what is no enrollment, or another partition's, is taken as none, sent on, and settled", async (t) => {
  const { world, calls, start } = traced(t, 2);
  const home = homePartition(contoso, 2);
  const away = 1 - home;
  world.emit({ partition: away });
  world.log.store({ topic: "enrolled", partition: home, key: null, value: null, headers: [] });
  start();
  await world.time.until("registered at home", () => world.registered(home).length === 1);
  await world.time.pass(1_000);
  const of = (place: string) => calls.filter((call) => call.includes(place));
  const [stray, astray] = [`enrolled/${home}/0`, `enrolled/${away}/0`];
  assert.deepEqual(of(stray), [
    `taken ${stray} undefined undefined`,
    `sending ${stray} to dlq/${home} value-empty`,
    `sent ${stray}`,
    `settled ${stray}`,
  ]);
  assert.deepEqual(of(astray), [
    `taken ${astray} undefined undefined`,
    `sending ${astray} to enrolled/${home} null`,
    `sent ${astray}`,
    `settled ${astray}`,
  ]);
  assert.equal(of(`taken enrolled/${home}/1 event-1`).length, 1);
});

test("a duplicate is taken and settled, and nothing else", async (t) => {
  const { world, calls, start } = traced(t);
  world.emit({ tenant: fabrikam });
  start();
  await world.untilRegistered(1);
  await world.time.pass(1_000);
  world.emit({ tenant: fabrikam, event: "again" });
  await world.time.pass(1_000);
  assert.deepEqual(calls.slice(-2), [
    `taken enrolled/0/1 again ${keyOf({ tenant: fabrikam })}`,
    "settled enrolled/0/1",
  ]);
});
