/** What the package offers to consumers, held to what the worker writes and to the published schemas. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Static } from "typebox";
import { Compile } from "typebox/compile";
import type { deadLetterReason } from "../src/domain/dead-letter.ts";
import { deadLetterHeader, deadLetterRecord } from "../src/domain/dead-letter.ts";
import { type registeredEvent, registeredRecord } from "../src/domain/registered.ts";
import {
  type DeadLetterReason,
  parseDeadLetter,
  parseRegistered,
  type RegisteredEvent,
} from "../src/events.ts";

const root = join(import.meta.dirname, "..");
const uuid = "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9";

// Each side takes the other's: the types say the same as the schemas. `npm run lint` checks it.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Mutable<T> = T extends readonly (infer U)[]
  ? Mutable<U>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
const registeredIsSame: Same<Mutable<RegisteredEvent>, Mutable<Static<typeof registeredEvent>>> = true;
const deadLetterIsSame: Same<Mutable<DeadLetterReason>, Mutable<Static<typeof deadLetterReason>>> = true;
assert.ok(registeredIsSame && deadLetterIsSame);

const record = registeredRecord(2, {
  enrollment: {
    tenantId: uuid,
    event: { id: "e-1", source: "/installer", traceparent: null },
  } as Parameters<typeof registeredRecord>[1]["enrollment"],
  idempotencyKey: uuid,
  object: {
    id: "g-1",
    connectorName: "c",
    machineName: "m",
    enrollmentDateTime: "2026-01-01T00:00:00Z",
    lastCheckinDateTime: "2026-01-01T00:00:00Z",
    connectorVersion: "6.2",
  },
  outcome: "created",
  attempts: 1,
  graph: { requestId: "r-1", status: 201, cloud: "global" },
  source: { topic: "enrolled", partition: 2, offset: 7 },
  enrolledAt: 1_767_225_600_000,
  registeredAt: 1_767_225_601_000,
});
const event = JSON.parse(new TextDecoder().decode(record.value!)) as RegisteredEvent;

test("what the worker writes is read, as bytes and as text", () => {
  for (const value of [record.value, JSON.stringify(event)]) {
    const parsed = parseRegistered(value);
    assert.ok(parsed.ok);
    assert.equal(parsed.value.data.sourceEvent.offset, 7);
  }
});

test("a dead letter's reason is read from its header; of several the last one counts", () => {
  const dead = deadLetterRecord(
    2,
    { ...record, topic: "enrolled", offset: 7, timestampMs: 0, leaderEpoch: 0 },
    {
      refusal: {
        code: "property-missing",
        message: "machineName is missing",
        pointers: ["/data/machineName"],
      },
      attempts: 0,
      at: { topic: "enrolled", partition: 2, offset: 7 },
      timeMs: 1_767_225_601_000,
      requestId: null,
    },
  );
  const header = dead.headers.find(([name]) => name === deadLetterHeader)![1];
  const parsed = parseDeadLetter([null, header]);
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.value.pointers, ["/data/machineName"]);
  assert.equal(parsed.value.source.topic, "connector.enrolled");
});

test("what a later version adds is kept", () => {
  const parsed = parseRegistered(JSON.stringify({ ...event, added: 1 }));
  assert.ok(parsed.ok && (parsed.value as unknown as { added: number }).added === 1);
});

test("what is no such event is refused with what is wrong and where", () => {
  const wrong: readonly (readonly [string | null, RegExp])[] = [
    [null, /there is no value/],
    ["{", /not JSON/],
    ["[]", /the value is not an object/],
    [JSON.stringify({ ...event, type: "connector.enrolled" }), /^\/type is not connector\.registered$/],
    [
      JSON.stringify({ ...event, data: { ...event.data, id: "" } }),
      /^\/data\/id is not text that is not empty$/,
    ],
    [
      JSON.stringify({ ...event, data: { ...event.data, sourceEvent: null } }),
      /^\/data\/sourceEvent is not an object$/,
    ],
    [JSON.stringify({ ...event, time: "yesterday" }), /^\/time is not a time/],
  ];
  for (const [value, reason] of wrong) {
    const parsed = parseRegistered(value);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, reason);
  }
});

test("wherever one property is missing, the schema and the reader both refuse it", () => {
  const schema = JSON.parse(readFileSync(join(root, "schemas/connector.registered.schema.json"), "utf8"));
  const validator = Compile(schema);
  assert.ok(validator.Check(event));
  let tried = 0;
  const visit = (object: Record<string, unknown>, path: readonly string[]): void => {
    for (const name of Object.keys(object)) {
      const copy = structuredClone(event) as unknown as Record<string, unknown>;
      let parent = copy;
      for (const step of path) parent = parent[step] as Record<string, unknown>;
      delete parent[name];
      tried++;
      assert.equal(
        parseRegistered(JSON.stringify(copy)).ok,
        validator.Check(copy),
        [...path, name].join("/"),
      );
      const child = object[name];
      if (typeof child === "object" && child !== null)
        visit(child as Record<string, unknown>, [...path, name]);
    }
  };
  visit(event as unknown as Record<string, unknown>, []);
  assert.ok(tried > 25);
});
