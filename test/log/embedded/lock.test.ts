/** The lock of a worker, where its file is none, and where this process may not write. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lockForWorker } from "../../../src/log/embedded/lock.ts";
import { tryOpen, workspaceOf } from "./harness.ts";

test("what is no lock of a worker is refused as such, with how to get rid of it", (t) => {
  const { dataDir } = workspaceOf(t);
  const lockFile = join(dataDir, "worker.lock");
  for (const make of [
    () => writeFileSync(lockFile, "something else\n".repeat(1_000)),
    () => mkdirSync(lockFile),
  ]) {
    make();
    const locking = lockForWorker(dataDir);
    assert.ok(!locking.ok);
    assert.equal(
      locking.problem.message,
      `The lock file ${lockFile} can't be used: it is not one that a worker made.`,
    );
    assert.ok(locking.problem.fix.endsWith(`type: rm -r ${lockFile}`), locking.problem.fix);
    rmSync(lockFile, { recursive: true });
  }
  const { ok } = lockForWorker(dataDir);
  assert.ok(ok);
});

test("a lock that can only be read is no lock", (t) => {
  const { dataDir } = workspaceOf(t);
  const lockFile = join(dataDir, "worker.lock");
  writeFileSync(lockFile, "");
  if (spawnSync("mount", ["--bind", lockFile, lockFile]).status !== 0)
    return t.skip("no file system can be mounted here");
  try {
    assert.equal(spawnSync("mount", ["-o", "remount,bind,ro", lockFile]).status, 0);
    const locking = lockForWorker(dataDir);
    assert.ok(!locking.ok);
    assert.equal(locking.problem.code, "log-not-writable");
    assert.ok(locking.problem.message.includes(`lock file ${lockFile}`), locking.problem.message);
  } finally {
    assert.equal(spawnSync("umount", ["-l", lockFile]).status, 0);
  }
});

test("a read-only file system is said to be one, whether the directory is there or not", async (t) => {
  const { dataDir, remove } = workspaceOf(t, { keep: true });
  const disk = join(dataDir, "disk");
  mkdirSync(disk);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", disk]).status === 0) {
    t.after(() => assert.equal(spawnSync("umount", ["-l", disk]).status, 0));
    for (const place of [disk, join(disk, "new")]) {
      const opening = await tryOpen(place);
      assert.ok(!opening.ok);
      assert.equal(
        opening.problem.message,
        `The event log ${join(place, "log.db")} is on a file system that is mounted read-only.`,
      );
      assert.match(opening.problem.fix, /^Mount it for writing \(mount -o remount,rw/);
    }
  } else t.skip("no file system can be mounted here");
  t.after(remove);
});
