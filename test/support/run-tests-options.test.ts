/** The options and filters of the test runner. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pass, runTree } from "./runner-tree.ts";

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

test("files that start brokers, containers, browsers or installations are left out and counted, unless they are asked for", async () => {
  const files = {
    "a.test.ts": pass,
    "docker/b.test.ts": pass,
    "c.test.ts": `import "./chromium.ts"; ${pass}`,
    "chromium.ts": "",
    "helm.ts": "",
    "d.test.ts": `import "./helm.ts"; ${pass}`,
  };
  const some = "1 passed, 0 failed, 0 skipped";
  const all = "4 passed, 0 failed, 0 skipped";
  const runs: readonly (readonly [string[], Record<string, string>, string])[] = [
    [[], {}, some],
    [[], { CI: "false", REQUIRE_KAFKA: "0" }, some],
    [["--quick"], { CI: "true" }, some],
    [["--all"], {}, all],
    [[], { CI: "true" }, all],
    [[], { REQUIRE_HELM: "1" }, all],
    [["docker/b"], {}, some],
    [["good"], {}, all],
  ];
  for (const [args, env, lastLine] of runs) {
    const run = await runTree(files, { args, env });
    assert.equal(run.lastLine, lastLine, `${args} ${JSON.stringify(env)}: ${run.output}`);
    const isLeftOut = lastLine === some && args[0] !== "docker/b";
    assert.equal(
      /^left out: 3 files that start .*; npm test -- --all runs them$/m.test(run.output),
      isLeftOut,
    );
  }
  const filtered = await runTree(files, { args: ["--quick", "docker/b"] });
  assert.match(filtered.output, /no test file was found/);
});

test("options that do not exist, or contradict each other, are refused", async () => {
  for (const [args, message] of [
    [["--quik"], /unknown option --quik/],
    [["--all", "--quick"], /opposite/],
  ] as const) {
    const run = await runTree({ "a.test.ts": pass }, { args: [...args] });
    assert.match(run.output, message);
    assert.equal(run.exitCode, 2);
  }
});

test("filters select files by path and tests by name", async () => {
  const files = { "a/x.test.ts": `${pass} test("other", () => {});`, "b/y.test.ts": pass };
  const byFile = await runTree(files, { args: ["a/x"] });
  assert.equal(byFile.lastLine, "2 passed, 0 failed, 0 skipped", byFile.output);
  const byName = await runTree(files, { args: ["good"] });
  assert.equal(byName.lastLine, "2 passed, 0 failed, 0 skipped", byName.output);
  const byNothing = await runTree(files, { args: ["no such name"] });
  assert.equal(byNothing.lastLine, "0 passed, 1 failed, 0 skipped", byNothing.output);
});

test("a filter that means a file or a folder, and selects no test file, is refused", async () => {
  const files = { "a/x.test.ts": pass, "a/b/y.test.ts": pass, "contracts/helper.ts": "" };
  for (const [filter, advised] of [
    ["test/contracts", "test/"],
    ["./test/contracts/", "test/"],
    ["test/nowhere/deep", "test/"],
    ["test/a/nowhere", "test/a/"],
    ["lab", "test/"],
    ["a/missing.test.ts", "a/"],
    ["nowhere/missing.test.ts", "test/"],
  ] as const) {
    const run = await runTree(files, { args: ["a/x", filter] });
    const named = filter.replace("./", "");
    assert.ok(
      run.output.startsWith(`no test file was found for ${named}. Type: npm test -- ${advised} `),
      run.output,
    );
    assert.equal(run.exitCode, 2);
  }
});
