/** Two commands at the same time on a fresh clone: the install hook's lock, with an `npm` that waits for permission. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { hostname } from "node:os";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory, waitUntil } from "../cli/run-cli.ts";

const script = join(import.meta.dirname, "..", "..", "scripts", "ensure-install.mjs");
const packages = { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } };

/** A clone without node_modules. Its npm notes each call, waits for the file `gate`, then installs. */
async function freshClone(t: TestContext) {
  const root = temporaryDirectory(t);
  const at = (...path: string[]) => join(root, ...path);
  for (const folder of ["scripts", "bin"]) mkdirSync(at(folder));
  await copyFile(script, at("scripts", "ensure-install.mjs"));
  writeFileSync(at("package-lock.json"), JSON.stringify({ packages }));
  const npm = `#!/bin/sh
echo "$@" >> "${at("calls")}"
while [ ! -e "${at("gate")}" ] && [ -e "${at("calls")}" ]; do sleep 0.02; done
mkdir -p "${at("node_modules")}/node/bin" && touch "${at("node_modules")}/node/bin/node"
echo '${JSON.stringify({ packages })}' > "${at("node_modules")}/.package-lock.json"
`;
  writeFileSync(at("bin", "npm"), npm, { mode: 0o755 });
  const calls = () => (existsSync(at("calls")) ? readFileSync(at("calls"), "utf8").trim().split("\n") : []);
  const { npm_execpath: _npm, ...environment } = process.env;
  function run(more: Record<string, string> = {}) {
    const child = spawn(process.execPath, [at("scripts", "ensure-install.mjs")], {
      env: { ...environment, PATH: [at("bin"), environment.PATH].join(delimiter), ...more },
    });
    t.after(() => child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.on("data", (bytes) => {
      stderr += bytes;
    });
    const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
      child.on("close", (code) => resolve({ code, stderr }));
    });
    return { ended, stderr: () => stderr, child };
  }
  return { at, calls, run, openGate: () => writeFileSync(at("gate"), ""), lock: at(".ensure-install.lock") };
}

test("two commands at the same time install once; the second waits, then finds all in place", async (t) => {
  const { calls, run, openGate, lock } = await freshClone(t);
  const first = run();
  await waitUntil(async () => calls().length === 1, first.stderr);
  const second = run();
  await waitUntil(async () => /waiting for it/.test(second.stderr()), second.stderr);
  openGate();
  assert.equal((await first.ended).code, 0);
  const { code, stderr } = await second.ended;
  assert.deepEqual([code, stderr], [0, "Another command is installing the dependencies; waiting for it.\n"]);
  assert.equal(calls().length, 1);
  assert.ok(!existsSync(lock));
});

test("a lock whose process is gone is taken over", async (t) => {
  const { calls, run, openGate, lock } = await freshClone(t);
  const gone = spawn("true");
  await new Promise((resolve) => gone.once("close", resolve));
  mkdirSync(lock);
  writeFileSync(join(lock, "owner"), JSON.stringify({ pid: gone.pid, host: hostname() }));
  openGate();
  const { code, stderr } = await run().ended;
  assert.equal(code, 0, stderr);
  assert.equal(calls().length, 1);
  assert.ok(!existsSync(lock));
});

test("a lock that is held for too long ends the command with what to type, and stays", async (t) => {
  const { calls, run, lock } = await freshClone(t);
  mkdirSync(lock);
  writeFileSync(join(lock, "owner"), JSON.stringify({ pid: process.pid, host: hostname() }));
  const { code, stderr } = await run({ ENSURE_INSTALL_LOCK_MS: "100" }).ended;
  assert.equal(code, 1);
  assert.match(stderr, /type: rm -r \S+\.ensure-install\.lock/);
  assert.equal(calls().length, 0);
  assert.ok(existsSync(lock));
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} is passed to npm ci, and the lock is kept until npm ci has removed what it began`, async (t) => {
    const { at, run, lock } = await freshClone(t);
    const npm = `#!/bin/sh
trap 'touch "${at("removing")}"; while [ ! -e "${at("gate")}" ] && [ -e "${at("calls")}" ]; do sleep 0.02; done; exit 1' INT TERM
touch "${at("calls")}"
while [ -e "${at("calls")}" ]; do sleep 0.02; done
`;
    writeFileSync(at("bin", "npm"), npm, { mode: 0o755 });
    const first = run();
    await waitUntil(async () => existsSync(at("calls")), first.stderr);
    first.child.kill(signal);
    await waitUntil(async () => existsSync(at("removing")), first.stderr);
    const second = run();
    await waitUntil(async () => /waiting for it/.test(second.stderr()), second.stderr);
    second.child.kill("SIGKILL");
    assert.equal(first.child.exitCode, null);
    assert.ok(existsSync(lock));
    writeFileSync(at("gate"), "");
    const { code, stderr } = await first.ended;
    assert.equal(code, 130);
    assert.match(
      stderr,
      /npm ci was stopped, so nothing was started\. Type the command again to install\.\n$/,
    );
    assert.ok(!existsSync(lock));
  });
}
