import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { runInLanes } from "./lanes.ts";

const stream = () => new PassThrough({ objectMode: true });

test("what one test at the top of a file reports stands together, though another file reports meanwhile", async () => {
  const runs = { a: stream(), b: stream() };
  const event = (type: string, nesting: number, name: string) => ({ type, data: { nesting, name } });
  const report = runInLanes([["a"], ["b"]] as const, { ofFirst: 1, ofAll: 2 }, (file) => runs[file]);
  const reported: string[] = [];
  report.on("data", ({ type, data }) => reported.push(`${data.name} ${type}`));
  const ended = new Promise((resolve) => report.once("end", resolve));
  for (const name of ["a", "b"] as const) runs[name].write(event("test:start", 0, name));
  runs.a.write(event("test:pass", 1, "a1"));
  runs.b.write(event("test:fail", 1, "b1"));
  runs.b.write(event("test:fail", 0, "b"));
  runs.a.write(event("test:pass", 0, "a"));
  runs.b.end(event("test:summary", 0, "end of b"));
  runs.a.end();
  await ended;
  const a = ["a test:start", "a1 test:pass", "a test:pass"];
  const b = ["b test:start", "b1 test:fail", "b test:fail"];
  const [first, second] = reported[0] === a[0] ? [a, b] : [b, a];
  const rest = reported.filter((each) => each !== "end of b test:summary");
  assert.deepEqual(rest, [...first, ...second]);
  assert.equal(reported.length, 7);
});

test("the first lane goes first; a place that it has no file for goes to the second", async () => {
  const runs = new Map<string, PassThrough>();
  const start = (file: string) => {
    runs.set(file, stream());
    return runs.get(file)!;
  };
  const end = async (file: string) => {
    const run = runs.get(file)!;
    const ended = new Promise((resolve) => run.once("end", resolve));
    run.end();
    await ended;
    runs.delete(file);
  };
  const running = () => [...runs.keys()].join(" ");
  const lanes = [
    ["w1", "w2", "w3"],
    ["c1", "c2", "c3", "c4"],
  ];
  const report = runInLanes(lanes, { ofFirst: 2, ofAll: 3 }, start).resume();
  const all = new Promise((resolve) => report.once("end", resolve));
  assert.equal(running(), "w1 w2 c1");
  await end("c1");
  assert.equal(running(), "w1 w2 c2");
  await end("w1");
  assert.equal(running(), "w2 c2 w3", "no more than two of the first lane");
  await end("w3");
  assert.equal(running(), "w2 c2 c3");
  await end("w2");
  assert.equal(running(), "c2 c3 c4");
  await end("c2");
  await end("c4");
  await end("c3");
  await all;
});

test("a report of no file ends immediately; one that breaks breaks the whole", async () => {
  const limits = { ofFirst: 1, ofAll: 1 };
  const none = runInLanes([[]], limits, stream);
  await new Promise((resolve) => none.once("end", resolve).resume());
  const run = stream();
  const broken = new Promise((resolve) => runInLanes([["a"]], limits, () => run).once("error", resolve));
  run.destroy(new Error("gone"));
  assert.match(String(await broken), /gone/);
});
