/** What the test runner counts, and what it makes of files that fail, use brokers or leave something behind. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { brokerThatTells, pass, runTree } from "./runner-tree.ts";

test("counts tests, not suites, and closes with one line", async () => {
  const run = await runTree({
    "a.test.ts": `describe("s", () => { it("one", () => {}); it("two", () => {}); });`,
    "sub/b.test.ts": `${pass} test("later", { skip: "not on this machine" }, () => {});`,
  });
  assert.equal(run.lastLine, "3 passed, 0 failed, 1 skipped", run.output);
  assert.equal(run.output.match(/\d+ passed, \d+ failed/g)?.length, 1);
  assert.match(run.output, /^skipped: test\/sub\/b\.test\.ts "later": not on this machine$/m);
  assert.equal(run.exitCode, 0);
});

test("fails on a failing test, a crash on import, a broken hook and a file without tests", async () => {
  const run = await runTree({
    "bad.test.ts": `test("bad", () => { throw new Error("x"); });`,
    "crash.test.ts": `throw new Error("boom");`,
    "hook.test.ts": `describe("h", () => { before(() => { throw new Error("hook"); }); it("x", () => {}); });`,
    "empty.test.ts": "",
    "good.test.ts": pass,
  });
  assert.equal(run.lastLine, "1 passed, 5 failed, 0 skipped", run.output);
  assert.match(run.output, /^failed: test\/empty\.test\.ts declares no test$/m);
  assert.equal(run.exitCode, 1);
});

test("fails when nothing was executed", async () => {
  const none = await runTree({});
  assert.equal(none.lastLine, "0 passed, 1 failed, 0 skipped", none.output);
  assert.equal(none.exitCode, 1);
  const allSkipped = await runTree({ "a.test.ts": `test("a", { skip: "no reason" }, () => {});` });
  assert.equal(allSkipped.lastLine, "0 passed, 1 failed, 1 skipped", allSkipped.output);
});

test("tests of some folders share a process; each counts, and what is wrong is said of its own file", async () => {
  const several = Array.from({ length: 8 }, (_, n) => [
    `domain/${n}.test.ts`,
    `test("of ${n}", () => console.log(\`in \${process.pid}.\`));`,
  ]);
  const run = await runTree({
    ...Object.fromEntries(several),
    "domain/helper.ts": `export const declare = () => test("by a helper", () => {});`,
    "domain/helped.test.ts": `import { declare } from "./helper.ts"; declare();`,
    "domain/bad.test.ts": `test("bad", () => { throw new Error("x"); });`,
    "domain/empty.test.ts": "",
    "domain/environment.test.ts": `test("alone", () => console.log(\`in \${process.pid}, \${process.env.HOME}\`));`,
  });
  assert.equal(run.lastLine, "10 passed, 2 failed, 0 skipped", run.output);
  assert.match(run.output, /test at \S*test\/domain\/bad\.test\.ts:2:/);
  assert.match(run.output, /^failed: test\/domain\/empty\.test\.ts declares no test$/m);
  const shared = new Set(run.output.match(/in \d+\./g));
  assert.equal(shared.size, 1);
  const [own] = /in \d+(?=, )/.exec(run.output)!;
  assert.ok(!shared.has(`${own}.`));
});

test("what waits for brokers runs beside what computes, and does not keep it waiting", async () => {
  const places = Math.min(4, availableParallelism());
  const sign = `import { existsSync, writeFileSync } from "node:fs";
    import { setTimeout as passed } from "node:timers/promises"; const file = process.cwd() + "/" + process.ppid;`;
  const waits = `${sign} test("waits", async () => {
    while (!existsSync(file)) await passed(10); });`;
  const directory = await mkdtemp(join(tmpdir(), "run-tests-"));
  const run = await runTree(
    {
      ...Object.fromEntries(Array.from({ length: places }, (_, n) => [`kafka/${n}.test.ts`, waits])),
      "z.test.ts": `${sign} test("computes", () => writeFileSync(file, ""));`,
    },
    { cwd: directory },
  );
  await rm(directory, { recursive: true, force: true });
  assert.equal(run.lastLine, `${places + 1} passed, 0 failed, 0 skipped`, run.output);
});

test("a run leaves no temporary files, whatever its tests and their processes leave, nor those of a run that was killed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "run-tests-"));
  await mkdir(join(directory, "registrar-run-999999999-x", "of-a-run-that-was-killed"), { recursive: true });
  await mkdir(join(directory, "registrar-run-999999998-x"));
  await mkdir(join(directory, `registrar-run-${process.pid}-x`));
  const longAgo = new Date(Date.now() - 4_000_000);
  for (const name of ["registrar-run-999999999-x", `registrar-run-${process.pid}-x`])
    await utimes(join(directory, name), longAgo, longAgo);
  const leaves = `import { spawnSync } from "node:child_process"; import { mkdtempSync } from "node:fs"; import { tmpdir } from "node:os";
    test("leaves", () => { console.log("in " + mkdtempSync(tmpdir() + "/left-"));
      spawnSync("sh", ["-c", "mkdir $TMPDIR/of-a-process; kill -9 $$"]); });`;
  const run = await runTree({ "a.test.ts": leaves }, { env: { TMPDIR: directory } });
  const left = await readdir(directory);
  await rm(directory, { recursive: true });
  assert.equal(run.lastLine, "1 passed, 0 failed, 0 skipped", run.output);
  assert.ok(run.output.includes(`in ${join(directory, "registrar-run-")}`), run.output);
  const others = ["registrar-run-999999998-x", `registrar-run-${process.pid}-x`];
  assert.deepEqual(left.sort(), others.sort(), "a new one may be of a run that can't be seen from here");
});

test("without a broker Kafka suites are skipped with the reason; REQUIRE_KAFKA=1 makes that a failure", async () => {
  const files = {
    "kafka/k.test.ts": `describe("log", { skip: process.env.KAFKA_BROKERS ? false : "no Kafka broker: none" }, () => {
      it("x", () => {}); }); ${pass}`,
  };
  const skipped = await runTree(files);
  assert.equal(skipped.lastLine, "1 passed, 0 failed, 1 skipped", skipped.output);
  assert.match(skipped.output, /No Kafka broker, its suites are skipped: none here/);
  const required = await runTree(files, { env: { REQUIRE_KAFKA: "1" } });
  assert.equal(required.lastLine, "1 passed, 2 failed, 0 skipped", required.output);
  assert.equal(required.exitCode, 1);
});

test("starts the broker only for files that use it, hands it to them, and stops it after a failure too", async () => {
  const uses = `import assert from "node:assert/strict";
    test("has it", () => assert.equal(process.env.KAFKA_BROKERS, "127.0.0.1:1"));
    test("bad", () => assert.fail());`;
  const used = await runTree({ "kafka/k.test.ts": uses }, { broker: brokerThatTells });
  assert.match(used.output, /Kafka broker: 127\.0\.0\.1:1 \(given\)\n(.*\n)*broker stopped\n/);
  assert.equal(used.lastLine, "1 passed, 1 failed, 0 skipped", used.output);
  const unused = await runTree({ "a.test.ts": pass }, { broker: brokerThatTells });
  assert.doesNotMatch(unused.output, /broker/);
});

test("an interrupted run ends its tests, stops the broker and exits with 130", async () => {
  const waits = `test("first", () => {}); test("waits", () => new Promise(() => setInterval(() => {}, 1000)));`;
  const run = await runTree({ "kafka/k.test.ts": waits }, { broker: brokerThatTells, interruptAt: "first" });
  assert.match(run.output, /broker stopped/);
  assert.equal(run.exitCode, 130, run.output);
  assert.match(run.lastLine, /^1 passed, [1-9]\d* failed, 0 skipped$/);
});

test("a test that leaves a handle open, or a process behind, is a failure that says what", async () => {
  const run = await runTree({
    "handle.test.ts": `import { createServer } from "node:net"; test("leaks", () => { createServer().listen(0); });`,
    "process.test.ts": `import { type SpawnOptions, spawn } from "node:child_process";
      test("leaves", () => { spawn("sleep", ["300"], { detached: true, stdio: "ignore" }).unref(); });`,
  });
  assert.match(
    run.output,
    /handle\.test\.ts does not exit although its tests have ended; still open: .*TCPServerWrap/,
  );
  if (process.platform === "linux") {
    assert.match(run.output, /^failed: a test left process \d+ behind: sleep 300$/m);
    assert.equal(run.lastLine, "2 passed, 2 failed, 0 skipped", run.output);
  }
  assert.equal(run.exitCode, 1);
});
