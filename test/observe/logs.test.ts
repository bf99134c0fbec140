import assert from "node:assert/strict";
import { test } from "node:test";
import pino from "pino";
import { virtualClock } from "../../lab/testkit/virtual-clock.ts";
import { fanOut } from "../../src/observe/fan-out.ts";
import { openLogObserver } from "../../src/observe/logs.ts";
import type { RegistrarEvent } from "../../src/observer.ts";
import { sampleEvents } from "./sample-events.ts";

function openRecorded() {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: "trace" }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const clock = virtualClock();
  return {
    lines,
    clock,
    logs: openLogObserver(logger, clock, {
      bursts: { failures: { lines: 3, periodMs: 1_000 }, settled: { lines: 20, periodMs: 1_000 } },
    }),
  };
}

const failed = (verdict: string): RegistrarEvent => ({
  kind: "attempt-failed",
  at: { topic: "enrolled", partition: 0, offset: 1 },
  tenantId: "t",
  verdict,
  detail: "503",
  retryInMs: 10,
  requestId: "r-1",
});

test("every kind of event has a line of its own with its name and a message", () => {
  const { lines, logs } = openRecorded();
  for (const event of sampleEvents) logs.observe(event);
  assert.deepEqual(
    lines.map((line) => line.event),
    sampleEvents.map((event) => event.kind),
  );
  for (const line of lines) assert.match(String(line.msg), /\w/);
  logs.close();
});

test("levels: ordinary work is info, failures warn, what needs a person is error or fatal", () => {
  const { lines, logs } = openRecorded();
  for (const event of sampleEvents) logs.observe(event);
  const levels = Object.fromEntries(lines.map((line) => [line.event, line.level]));
  assert.equal(levels["record-registered"], 30);
  assert.equal(levels["record-refused"], 30);
  assert.equal(levels["attempt-failed"], 40);
  assert.equal(levels["breaker-opened"], 50);
  assert.equal(levels.fault, 60);
  assert.equal(levels.committed, 20);
  logs.close();
});

test("a failed attempt names the record and Graph's request-id", () => {
  const { lines, logs } = openRecorded();
  logs.observe(failed("retry"));
  assert.equal(lines[0]!.at, "enrolled/0@1");
  assert.equal(lines[0]!.requestId, "r-1");
  logs.close();
});

test("a burst is cut off, counted, and let through again in the next period", () => {
  const { lines, clock, logs } = openRecorded();
  for (let count = 0; count < 100; count++) logs.observe(failed("retry"));
  logs.observe(failed("unknown"));
  assert.equal(lines.length, 4);
  clock.advance(1_000);
  assert.equal(lines.length, 5);
  assert.equal(lines[4]!.suppressed, 97);
  logs.observe(failed("retry"));
  assert.equal(lines.length, 6);
  logs.close();
  assert.equal(clock.pendingTimers, 0);
});

test("close reports what is held back", () => {
  const { lines, logs } = openRecorded();
  for (let count = 0; count < 5; count++) logs.observe(failed("retry"));
  logs.close();
  assert.equal(lines.at(-1)!.suppressed, 2);
});

const sampleOf = (wanted: RegistrarEvent["kind"]) => sampleEvents.find(({ kind }) => kind === wanted)!;

test("dead-lettered records are never held back", () => {
  const { lines, logs } = openRecorded();
  for (let count = 0; count < 100; count++) logs.observe(sampleOf("record-refused"));
  assert.equal(lines.length, 100);
  logs.close();
});

test("registered records and duplicates have a line each until there are too many to read", () => {
  const { lines, clock, logs } = openRecorded();
  for (const kind of ["record-registered", "record-duplicate"] as const) {
    for (let count = 0; count < 20; count++) logs.observe(sampleOf(kind));
  }
  assert.equal(lines.length, 40);
  for (let count = 0; count < 5; count++) logs.observe(sampleOf("record-registered"));
  assert.equal(lines.length, 40);
  clock.advance(1_000);
  const { level, of, suppressed } = lines.at(-1)!;
  assert.deepEqual([lines.length, level, of, suppressed], [41, 30, "record-registered", 5]);
  logs.close();
});

test("fanOut shows each event to all, in order", () => {
  const seen: string[] = [];
  const observe = fanOut(
    (event) => seen.push(`a ${event.kind}`),
    (event) => seen.push(`b ${event.kind}`),
  );
  observe({ kind: "breaker-closed" });
  assert.deepEqual(seen, ["a breaker-closed", "b breaker-closed"]);
});
