/** Whatever stands in the topics, read in whatever pieces: the index never fails, and ends as one that is built in one go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { contoso, fabrikam } from "../../lab/testkit/enrollments.ts";
import { bytes } from "../../lab/testkit/samples.ts";
import { cellsOf } from "../../src/audit/columns.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { movedRecord } from "../../src/domain/origin.ts";
import type { LogRecord, NewRecord, Topic } from "../../src/ports.ts";
import {
  event,
  indexPath,
  MemoryTopics,
  type Opened,
  openOn,
  refused,
  registered,
  startMs,
} from "./topics.ts";

const tenants = [contoso, fabrikam];
const partitionCount = 2;

/** Numbers choose: among enrollments, records that are there, and what happens to them. */
interface Step {
  readonly what: "event" | "astray" | "refuse" | "replay" | "park" | "register" | "again" | "read";
  readonly which: number;
}

const step = fc.record({
  what: fc.constantFrom<Step["what"]>(
    "event",
    "astray",
    "refuse",
    "replay",
    "park",
    "register",
    "again",
    "read",
  ),
  which: fc.nat(1000),
});

class World {
  readonly topics = new MemoryTopics(partitionCount);
  readonly #inputs: LogRecord[] = [];
  readonly #letters: LogRecord[] = [];
  readonly #registered: NewRecord[] = [];

  /** What the worker and producers may do; nothing where there is nothing to do it with. */
  take({ what, which }: Step): void {
    const of = { tenant: tenants[which % 2]!, machine: `M-${which % 3}`, event: `event-${which}` };
    const home = homePartition(of.tenant, partitionCount);
    const input = this.#inputs[which % Math.max(1, this.#inputs.length)];
    const letter = this.#letters[which % Math.max(1, this.#letters.length)];
    if (what === "event") this.#put(event(of, home));
    else if (what === "astray") {
      // The worker moves it home immediately.
      const astray = this.topics.append(event(of, 1 - home));
      this.#put(movedRecord(astray, { topic: "enrolled", partition: home, key: astray.key }));
    } else if (what === "refuse" && input)
      this.#letters.push(this.topics.append(refused(input, `code-${which % 2}`)));
    else if (what === "replay" && letter) {
      const { at } = {
        at: `enrolled/${letter.partition}/${JSON.parse(Buffer.from(letter.headers.at(-1)![1]!).toString()).source.offset}`,
      };
      const headers = [...letter.headers.slice(0, -1), ["replayed-from", bytes(at)] as const];
      this.#put({ ...letter, topic: "enrolled", headers });
    } else if (what === "park" && input) {
      this.topics.append(movedRecord(input, { topic: "retry", partition: home, key: input.key }));
    } else if (what === "register") {
      const record = registered({ ...of, registeredAt: startMs + which, offset: which }, home);
      this.#registered.push(record);
      this.topics.append(record);
    } else if (what === "again" && this.#registered.length > 0) {
      this.topics.append(this.#registered[which % this.#registered.length]!);
    }
  }

  #put(record: NewRecord): void {
    this.#inputs.push(this.topics.append(record));
  }
}

function told({ index }: Opened) {
  const { rows } = index.search({ limit: 1000 });
  return { rows: rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)), counts: index.counts() };
}

test("read in pieces, the index ends as one that is built in one go", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      const pieces = openOn(world.topics.log, indexPath(t));
      for (const each of steps) {
        if (each.what === "read") await pieces.read();
        else world.take(each);
      }
      await pieces.read();
      const whole = openOn(world.topics.log, indexPath(t));
      await whole.read();
      assert.deepEqual(told(pieces), told(whole));
      const { counts, rows } = told(whole);
      for (const state of ["waiting", "registered", "refused"] as const)
        assert.equal(counts[state], rows.filter((row) => row.state === state).length);
      pieces.index.close();
      whole.index.close();
    }),
    { numRuns: 60 },
  );
});

const hostileValue = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, -1, 0.5, 1e21, 2 ** 53, Number.MAX_VALUE, "", "\u0000", "\ud800", "__proto__", [], {}],
    ...[
      "x".repeat(70_000),
      "9999-12-31T23:59:59Z",
      "0001-01-01T00:00:00Z",
      "+275760-09-13T00:00:00Z",
      "-000001-01-01T00:00:00Z",
    ],
  ),
  fc.jsonValue(),
);

/** The JSON with one of its values, at any depth, replaced. */
function withOne(json: unknown, at: number, value: unknown): unknown {
  const places: [Record<string, unknown>, string][] = [];
  const copy = structuredClone(json);
  const visit = (of: unknown) => {
    if (typeof of !== "object" || of === null) return;
    for (const name of Object.keys(of)) {
      places.push([of as Record<string, unknown>, name]);
      visit((of as Record<string, unknown>)[name]);
    }
  };
  visit(copy);
  const [of, name] = places[at % places.length]!;
  of[name] = value;
  return copy;
}

const parsed = (value: Uint8Array | null | undefined): unknown =>
  JSON.parse(Buffer.from(value ?? []).toString());

function mutated(record: NewRecord, at: number, value: unknown): NewRecord {
  if (record.topic !== "dlq" || at % 3 === 0)
    return { ...record, value: bytes(JSON.stringify(withOne(parsed(record.value), at, value))) };
  const [name, reason] = record.headers.at(-1)!;
  return {
    ...record,
    headers: [
      ...record.headers.slice(0, -1),
      [name, bytes(JSON.stringify(withOne(parsed(reason), at, value)))],
    ],
  };
}

test("records that are nearly right, and bytes of any kind, never stop the index or an export", async (t) => {
  const base: readonly NewRecord[] = [
    event({}),
    { ...event({}), topic: "retry" },
    registered({}),
    refused({ ...event({}), offset: 0, timestampMs: startMs, leaderEpoch: -1 }),
  ];
  const nearlyRight = fc
    .tuple(fc.nat(3), fc.nat(1000), hostileValue)
    .map(([which, at, value]) => mutated(base[which]!, at, value));
  const anything = fc.record({
    topic: fc.constantFrom<Topic>("enrolled", "retry", "registered", "dlq"),
    partition: fc.constantFrom(0, 1),
    key: fc.option(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uuid().map(bytes))),
    value: fc.option(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.json().map(bytes))),
    headers: fc.array(
      fc.tuple(
        fc.constantFrom("dead-letter", "origin", "replayed-from", "content-type", "ce_id"),
        fc.option(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.json().map(bytes))),
      ),
      { maxLength: 4 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(nearlyRight, anything), { minLength: 1, maxLength: 60 }),
      async (records) => {
        const topics = new MemoryTopics(partitionCount);
        const open = openOn(topics.log, indexPath(t));
        for (const record of records.slice(0, records.length >> 1)) topics.append(record);
        await open.read();
        for (const record of records.slice(records.length >> 1)) topics.append(record);
        await open.read();
        assert.deepEqual(open.notes, []);
        const { rows } = open.index.search({ limit: 1000 });
        for (const row of rows) {
          assert.deepEqual(open.index.find(row.id), row);
          assert.ok(JSON.stringify(cellsOf(row)).length > 2);
        }
        open.index.close();
      },
    ),
    { numRuns: 150 },
  );
});
