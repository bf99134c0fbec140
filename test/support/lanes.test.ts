import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { together } from "./lanes.ts";

test("what one test at the top of a file reports stands together, though another lane reports meanwhile", async () => {
  const lanes = [new PassThrough({ objectMode: true }), new PassThrough({ objectMode: true })] as const;
  const event = (type: string, nesting: number, name: string) => ({ type, data: { nesting, name } });
  const report = together(lanes);
  const reported: string[] = [];
  report.on("data", ({ type, data }) => reported.push(`${data.name} ${type}`));
  const ended = new Promise((resolve) => report.once("end", resolve));
  for (const [lane, name] of [
    [0, "a"],
    [1, "b"],
  ] as const)
    lanes[lane].write(event("test:start", 0, name));
  lanes[0].write(event("test:pass", 1, "a1"));
  lanes[1].write(event("test:fail", 1, "b1"));
  lanes[1].write(event("test:fail", 0, "b"));
  lanes[0].write(event("test:pass", 0, "a"));
  lanes[1].end(event("test:summary", 0, "end of b"));
  lanes[0].end();
  await ended;
  const a = ["a test:start", "a1 test:pass", "a test:pass"];
  const b = ["b test:start", "b1 test:fail", "b test:fail"];
  const [first, second] = reported[0] === a[0] ? [a, b] : [b, a];
  const rest = reported.filter((each) => each !== "end of b test:summary");
  assert.deepEqual(rest, [...first, ...second]);
  assert.equal(reported.length, 7);
});

test("a report of no lane ends at once; one that breaks breaks the whole", async () => {
  const none = together([]);
  await new Promise((resolve) => none.once("end", resolve).resume());
  const lane = new PassThrough({ objectMode: true });
  const broken = new Promise((resolve) => together([lane]).once("error", resolve));
  lane.destroy(new Error("gone"));
  assert.match(String(await broken), /gone/);
});
