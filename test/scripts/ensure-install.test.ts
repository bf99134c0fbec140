/** The install hook on small packages, with an `npm` that only notes how it was called. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";

const script = join(import.meta.dirname, "..", "..", "scripts", "ensure-install.mjs");
const lock = {
  packages: {
    "": { name: "sample" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/other-platform": { version: "1.0.0", integrity: "sha512-o", optional: true },
  },
};
const installed = { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } } };

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The arguments of each call of npm. */
  readonly npmCalls: readonly string[];
}

async function runHook(hidden: object | string | null, options: { npmExit?: number } = {}): Promise<Outcome> {
  const root = await mkdtemp(join(tmpdir(), "ensure-install-"));
  try {
    await mkdir(join(root, "scripts"));
    await copyFile(script, join(root, "scripts", "ensure-install.mjs"));
    await writeFile(join(root, "package-lock.json"), JSON.stringify(lock));
    if (hidden !== null) {
      await mkdir(join(root, "node_modules"));
      const text = typeof hidden === "string" ? hidden : JSON.stringify(hidden);
      await writeFile(join(root, "node_modules", ".package-lock.json"), text);
    }
    const calls = join(root, "calls");
    const bin = join(root, "bin");
    await mkdir(bin);
    const npm = `#!/bin/sh\necho "$@" >> "${calls}"\necho "npm talks"\nexit ${options.npmExit ?? 0}\n`;
    await writeFile(join(bin, "npm"), npm, { mode: 0o755 });
    const { npm_execpath: _npm, ...env } = process.env;
    const result = spawnSync(process.execPath, [join(root, "scripts", "ensure-install.mjs")], {
      env: { ...env, PATH: [bin, env.PATH].join(delimiter) },
      encoding: "utf8",
    });
    const npmCalls = (await readFile(calls, "utf8").catch(() => ""))
      .split("\n")
      .filter((line) => line !== "");
    return { exitCode: result.status, stdout: result.stdout, stderr: result.stderr, npmCalls };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

test("silent when what is installed is what the lockfile asks for", async () => {
  assert.deepEqual(await runHook(installed), { exitCode: 0, stdout: "", stderr: "", npmCalls: [] });
});

const stale: Record<string, [hidden: object | string | null, why: RegExp]> = {
  "node_modules missing": [null, /node_modules is missing/],
  "an installation cut off": ["{", /can't be read/],
  "another version": [
    { packages: { "node_modules/a": { version: "0.9.0", integrity: "sha512-z" } } },
    /a is 0\.9\.0, not 1\.0\.0/,
  ],
  "another content under the same version": [
    { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-z" } } },
    /older than package-lock\.json/,
  ],
  "a package missing": [{ packages: {} }, /node_modules\/a is missing/],
  "a package too many": [
    { packages: { ...installed.packages, "node_modules/b": { version: "1.0.0" } } },
    /node_modules\/b is no longer wanted/,
  ],
};

for (const [name, [hidden, why]] of Object.entries(stale)) {
  test(`runs npm ci once, talking on stderr only: ${name}`, async () => {
    const outcome = await runHook(hidden);
    assert.equal(outcome.exitCode, 0, outcome.stderr);
    assert.equal(outcome.stdout, "");
    assert.match(outcome.stderr, why);
    assert.match(outcome.stderr, /npm talks/);
    assert.equal(outcome.npmCalls.length, 1);
    assert.match(outcome.npmCalls[0] ?? "", /^ci --include=dev/);
  });
}

test("says what to type when npm ci fails", async () => {
  const outcome = await runHook(null, { npmExit: 7 });
  assert.equal(outcome.exitCode, 1);
  assert.match(outcome.stderr, /npm ci failed .*then type: cd \S+ && npm ci\n$/);
});
