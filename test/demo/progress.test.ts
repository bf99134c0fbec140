import assert from "node:assert/strict";
import { test } from "node:test";
import { planDemo } from "../../demo/plan.ts";
import { demoProgress } from "../../demo/progress.ts";

const at = { topic: "enrolled", partition: 0 } as const;

/** What a terminal is sent while all of `events` enrollments are registered. */
function redraws(events: number, columns: number | undefined): string[] {
  const written: string[] = [];
  let nowMs = 0;
  const plan = planDemo(events, 1, 8);
  const progress = demoProgress(
    plan,
    { write: (text) => written.push(text), isTTY: true, ...(columns === undefined ? {} : { columns }) },
    () => (nowMs += 1_000),
  );
  for (let offset = 0; offset < plan.records.length; offset++)
    progress.observe({ kind: "record-duplicate", at: { ...at, offset }, idempotencyKey: "k" });
  return written;
}

for (const [events, columns] of [
  [200, 80],
  [200, undefined],
  [20_000, 80],
  [200, 40],
  [200, 200],
] as const) {
  test(`${events} events on ${columns ?? "unknown"} columns: each redraw stays on its line, the last one is full`, () => {
    const lines = redraws(events, columns).map((text) => text.replace("\r\u001b[K", ""));
    assert.ok(lines.length > 100);
    for (const line of lines) assert.ok(line.length < (columns ?? 80), `${line.length}: ${line}`);
    assert.match(lines.at(-1)!, /^\[#{5,30}\] \d+\/\d+/);
  });
}
