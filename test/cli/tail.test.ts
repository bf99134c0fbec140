import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { inherited, jsonLines, programFor, runCli, temporaryDirectory } from "./run-cli.ts";

const tenant = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";
const main = programFor(["tail"]);
/** More lines than a pipe holds. */
const count = 500;
/** The log that all of these read. */
const environment = {
  ...inherited,
  ...{ DATA_DIR: temporaryDirectory({ after }), AZURE_TENANT_ID: tenant },
};
const emitted = await runCli(["emit", "--count", String(count), "--quiet"], environment);
assert.equal(emitted.code, 0, emitted.stderr);

test("--limit ends the command also when one fetch brings more", async () => {
  const { code, stdout, stderr } = await runCli(["tail", "enrolled", "--limit", "2"], environment);
  assert.equal(code, 0, stderr);
  assert.equal(jsonLines(stdout).length, 2);
});

/** All lines, printed by a command that has nothing left to do meanwhile; they are not read yet. */
async function printed(t: { after(end: () => void): void }) {
  const child = spawn(process.execPath, [main, "tail", "enrolled", "--no-follow"], {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  // One look wakes the pipe; what follows stays where it is.
  const first = await new Promise<Buffer>((resolve) => {
    child.stdout.once("readable", () => resolve(child.stdout.read(1)));
  });
  return { child, exited, first };
}

test("a reader that takes its time gets every line: the command waits for it", async (t) => {
  const { child, exited, first } = await printed(t);
  // Longer than main.ts gives handles that were left open.
  const limit = new AbortController();
  const early = await Promise.race([exited, passed(3_500, "still there", { signal: limit.signal })]);
  limit.abort();
  assert.equal(early, "still there");
  const rest = await text(child.stdout);
  assert.equal(jsonLines(`${first}${rest}`).length, count);
  assert.equal(await exited, 0);
});

test("a signal ends the wait for a reader that takes nothing", async (t) => {
  const { child, exited } = await printed(t);
  child.kill("SIGTERM");
  assert.equal(await exited, 130);
});

/** The exit code of a command whose reader goes away after the first bytes, and what it said. */
function untilFirstLine(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [main, ...args], { env, timeout: 60_000 });
  child.stdin.end();
  child.stdout.once("data", () => child.stdout.destroy());
  let stderr = "";
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  return new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, stderr }));
  });
}

for (const args of [
  ["tail", "enrolled"],
  ["tail", "enrolled", "--no-follow"],
  ["emit", "--count", "3000"],
  ["start", "--settings"],
  ["--help"],
  ["replay", "--dry-run"],
  ["demo", "--events", "20", "--faults", "none"],
] as const) {
  test(`${args.join(" ")} | head -1 ends without a complaint`, async (t) => {
    const own = args[0] === "emit" ? { ...environment, DATA_DIR: temporaryDirectory(t) } : environment;
    const { code, stderr } = await untilFirstLine(args, own);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /EPIPE|Error|connector-registrar:/);
  });
}

test("a full disk under standard output is reported once, exit 1", async () => {
  const command = `exec '${process.execPath}' '${main}' tail enrolled --no-follow >/dev/full`;
  const child = spawn("sh", ["-c", command], { env: environment });
  let stderr = "";
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^connector-registrar: Standard output can't be written: ENOSPC\.\n.*\n$/);
});
