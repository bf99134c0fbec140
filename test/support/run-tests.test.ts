/** The test runner, run as a process on small trees of test files. */
import assert from "node:assert/strict";
import { type SpawnOptions, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const runnerFiles = [
  "run-tests.ts",
  "test-files.ts",
  "lanes.ts",
  "options.ts",
  "repetition.ts",
  "processor-time.ts",
  "tally.ts",
  "leak-guard.ts",
  "leftovers.ts",
];
const builtProgram = join(import.meta.dirname, "../../lab/testkit/built-program.ts");
const noBroker = `export const obtainBroker = async () => ({ ok: false, reason: "none here" });\n`;
const brokerThatTells = `export const obtainBroker = async () => ({
  ok: true, kind: "given", brokers: ["127.0.0.1:1"], stop: async () => console.log("broker stopped"),
});\n`;

interface Run {
  readonly exitCode: number | null;
  readonly output: string;
  readonly lastLine: string;
}

async function runTree(
  files: Record<string, string>,
  options: {
    args?: string[];
    env?: Record<string, string>;
    broker?: string;
    interruptAt?: string;
    cwd?: string;
  } = {},
): Promise<Run> {
  const root = await mkdtemp(join(tmpdir(), "run-tests-"));
  try {
    const support = join(root, "test", "support");
    await mkdir(support, { recursive: true });
    for (const name of runnerFiles) await cp(join(import.meta.dirname, name), join(support, name));
    await mkdir(join(root, "lab", "testkit"), { recursive: true });
    await writeFile(join(root, "lab", "testkit", "broker.ts"), options.broker ?? noBroker);
    await cp(builtProgram, join(root, "lab", "testkit", "built-program.ts"));
    await writeFile(join(root, "package.json"), `{ "type": "module" }`);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, "test", path)), { recursive: true });
      const declares = text === "" || /\b(test|describe)\(/.test(text);
      const start = declares ? `import { describe, it, test, before } from "node:test";\n` : "";
      await writeFile(join(root, "test", path), `${start}${text}\n`);
    }
    // This test's own context would make the inner runner believe that it is a test file.
    const { NODE_TEST_CONTEXT: _context, KAFKA_BROKERS: _brokers, ...inherited } = process.env;
    const own = Object.entries(inherited).filter(([name]) => !name.startsWith("REQUIRE_"));
    const env = { ...Object.fromEntries(own), ...options.env };
    const { args = [], interruptAt, cwd } = options;
    return await runProcess([join(support, "run-tests.ts"), ...args], { env, cwd }, interruptAt);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Sends SIGINT once the output holds `interruptAt`. */
function runProcess(
  args: string[],
  place: Pick<SpawnOptions, "env" | "cwd">,
  interruptAt: string | undefined,
): Promise<Run> {
  const child = spawn(process.execPath, args, { ...place, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let interrupted = false;
  child.stdout.on("data", (chunk) => {
    output += chunk;
    if (interruptAt === undefined || interrupted || !output.includes(interruptAt)) return;
    interrupted = true;
    child.kill("SIGINT");
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      resolve({ exitCode, output, lastLine: output.trimEnd().split("\n").at(-1) ?? "" });
    });
  });
}

const pass = `test("good", () => {});`;

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

test("--times writes what each file took to a file", async () => {
  const directory = await mkdtemp(join(tmpdir(), "run-tests-"));
  const times = join(directory, "times");
  const run = await runTree({ "a.test.ts": pass, "b.test.ts": pass }, { args: ["--times", times] });
  assert.equal(run.lastLine, "2 passed, 0 failed, 0 skipped", run.output);
  const rows = (await readFile(times, "utf8")).trimEnd().split("\n");
  assert.deepEqual(rows.map((row) => row.replace(/^ +\d+\.\d +\d+\.\d {2}/, "")).sort(), [
    "test/a.test.ts",
    "test/b.test.ts",
  ]);
  await rm(directory, { recursive: true, force: true });
  const nowhere = await runTree({ "a.test.ts": pass }, { args: ["--times"] });
  assert.match(nowhere.output, /--times needs a file to write to/);
  assert.equal(nowhere.exitCode, 2);
});

test("says how much processor time was used, and which files used most of it", async () => {
  const spin = "const { user } = process.cpuUsage(); while (process.cpuUsage().user - user < 300_000);";
  const run = await runTree({
    "idle.test.ts": pass,
    "busy.test.ts": `import { execFileSync } from "node:child_process";
      test("busy", () => void execFileSync(process.execPath, ["-e", ${JSON.stringify(spin)}]));`,
  });
  const [, total, busy, idle] =
    /^Processor time: (\d+) s, .*\n +([\d.]+) s {2}test\/busy\.test\.ts\n +([\d.]+) s {2}test\/idle\.test\.ts$/m.exec(
      run.output,
    ) ?? [];
  assert.ok(busy !== undefined, run.output);
  assert.ok(Number(total) >= 0 && Number(idle) > 0);
  if (process.platform === "linux") assert.ok(Number(busy) >= 0.3, "with the process that it started");
});

test("--repeat-failed: what fails is run once more, alone, and said where it does not fail again", async () => {
  const flag = join(tmpdir(), `run-tests-flag-${process.pid}`);
  const failsOnce = `import { existsSync, writeFileSync } from "node:fs";
    test("unsteady", () => { const was = existsSync("${flag}"); writeFileSync("${flag}", ""); if (!was) throw new Error("first"); });
    test("steady", () => {});`;
  const files = { "once.test.ts": failsOnce, "good.test.ts": pass };
  try {
    const repeated = await runTree(files, { args: ["--repeat-failed"] });
    assert.match(
      repeated.output,
      /^unsteady: test\/once\.test\.ts "unsteady" failed, and not when its file was run again$/m,
    );
    assert.equal(repeated.lastLine, "3 passed, 0 failed, 0 skipped", repeated.output);
    await rm(flag);
    assert.equal((await runTree(files)).lastLine, "2 passed, 1 failed, 0 skipped");
  } finally {
    await rm(flag, { force: true });
  }
  const always = await runTree(
    {
      "bad.test.ts": `test("bad", () => { throw new Error("x"); });`,
      "crash.test.ts": `throw new Error("boom");`,
    },
    { args: ["--repeat-failed"] },
  );
  assert.equal(always.lastLine, "0 passed, 2 failed, 0 skipped", always.output);
  assert.doesNotMatch(always.output, /^unsteady/m);
  const many = Object.fromEntries(
    [1, 2, 3, 4].map((n) => [`${n}.test.ts`, failsOnce.replaceAll(flag, `${flag}-never/${n}`)]),
  );
  const tooMany = await runTree(many, { args: ["--repeat-failed"] });
  assert.equal(tooMany.lastLine, "4 passed, 4 failed, 0 skipped", tooMany.output);
});

test("--quick leaves out files that start brokers, containers, browsers or installations, and says how many", async () => {
  const files = {
    "a.test.ts": pass,
    "docker/b.test.ts": pass,
    "c.test.ts": `import "./chromium.ts"; ${pass}`,
    "chromium.ts": "",
    "chaos/d.test.ts": pass,
  };
  const quick = await runTree(files, { args: ["--quick"] });
  assert.equal(quick.lastLine, "1 passed, 0 failed, 0 skipped", quick.output);
  assert.match(
    quick.output,
    /^left out: 3 files that start brokers, .*; npm test without --quick runs them$/m,
  );
  const filtered = await runTree(files, { args: ["--quick", "docker/b"] });
  assert.match(filtered.output, /no test file was found/);
  const unknown = await runTree(files, { args: ["--quik"] });
  assert.match(unknown.output, /--quik is no option/);
  assert.equal(unknown.exitCode, 2);
});

test("filters select files by path and tests by name", async () => {
  const files = { "a/x.test.ts": `${pass} test("other", () => {});`, "b/y.test.ts": pass };
  const byFile = await runTree(files, { args: ["a/x"] });
  assert.equal(byFile.lastLine, "2 passed, 0 failed, 0 skipped", byFile.output);
  const byName = await runTree(files, { args: ["good"] });
  assert.equal(byName.lastLine, "2 passed, 0 failed, 0 skipped", byName.output);
  const byNothing = await runTree(files, { args: ["no such name"] });
  assert.equal(byNothing.lastLine, "0 passed, 1 failed, 0 skipped", byNothing.output);
  const byMissing = await runTree(files, { args: ["a/x", "a/missing.test.ts"] });
  assert.match(byMissing.output, /no test file was found/);
  assert.equal(byMissing.lastLine, "0 passed, 1 failed, 0 skipped", byMissing.output);
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
