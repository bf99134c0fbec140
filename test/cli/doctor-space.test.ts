/** What `doctor` says of a disk that is full, or soon will be. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { spaceFindings } from "../../src/cli/doctor/space-check.ts";
import { runCli, temporaryDirectory } from "./run-cli.ts";

for (const [freeMib, statuses] of [
  [0, ["wrong"]],
  [3.9, ["wrong"]],
  [4, ["warning"]],
  [255, ["warning"]],
  [256, []],
] as const)
  test(`${freeMib} MiB free: ${statuses[0] ?? "nothing to say"}`, () => {
    const findings = spaceFindings(freeMib * 2 ** 20, "/data");
    assert.deepEqual(
      findings.map(({ status }) => status),
      statuses,
    );
    for (const { text } of findings)
      assert.match(text, /^\d+\.\d MiB are free for the embedded log in \/data$/);
  });

test("doctor on a small disk that holds a log: what is free, and exit 2", async (t) => {
  const path = join(temporaryDirectory(t), "disk");
  mkdirSync(path);
  const isMounted = spawnSync("mount", ["-o", "size=3m", "-t", "tmpfs", "tmpfs", path]).status === 0;
  if (!isMounted) {
    assert.notEqual(process.env.REQUIRE_NETNS, "1", "REQUIRE_NETNS=1, but no tmpfs can be mounted");
    return t.skip("no root that may mount a tmpfs");
  }
  try {
    const { environment } = await emulatorFor(t);
    const settings = { ...environment, DATA_DIR: path };
    const emitted = await runCli(["emit", "--machine", "m", "--connector", "c"], settings);
    assert.equal(emitted.code, 0, emitted.stderr);
    const { code, stdout } = await runCli(["doctor"], settings);
    assert.equal(code, 2, stdout);
    assert.match(
      stdout,
      /^wrong +log +[0-3]\.\d MiB are free for the embedded log in .*\n +Free some space on that disk /m,
    );
  } finally {
    execFileSync("umount", ["--lazy", path]);
  }
});
