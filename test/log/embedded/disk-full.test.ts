/** A full disk: refused with a reason, nothing that was acknowledged is lost, and it continues once there is room. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../../src/clock.ts";
import { Writer } from "../../../src/log/embedded/writer.ts";
import type { Session } from "../../../src/ports.ts";
import type { Problem } from "../../../src/problem.ts";
import { aRecord, at, scan } from "../../contracts/event-log/harness.ts";
import { storeOf, tryOpen, workspaceOf } from "./harness.ts";

const timeout = 20_000;
const filler = "x".repeat(1_000);

/** A file system of 2 MiB; null where none can be mounted. */
function smallDisk(t: TestContext, directory: string): string | null {
  const mountPoint = join(directory, "disk");
  mkdirSync(mountPoint);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", mountPoint]);
  if (mounted.status !== 0) return null;
  t.after(() => assert.equal(spawnSync("umount", ["-l", mountPoint]).status, 0));
  return mountPoint;
}

const fullDisk = (name: string, run: (t: TestContext, disk: string) => Promise<void>) =>
  test(name, { timeout }, async (t) => {
    const { dataDir, remove } = workspaceOf(t, { keep: true });
    const disk = smallDisk(t, dataDir);
    if (disk !== null) await run(t, disk);
    t.after(remove);
    if (disk === null) t.skip("no file system can be mounted here");
  });

fullDisk("appends and commits are refused while the disk is full, and work again after", async (_, disk) => {
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, new Uint8Array(500_000));
  const opening = await tryOpen(disk);
  assert.ok(opening.ok);
  const { log } = opening;
  const joined = Promise.withResolvers<Session>();
  await log.join(joined.resolve, joined.reject);
  const session = await joined.promise;
  const commit = { topic: "enrolled", partition: 0, offset: 1, metadata: filler } as const;

  let stored = 0;
  let reason: string | null = null;
  while (reason === null) {
    const result = await log.append([aRecord("enrolled", 0, `${stored} ${filler}`)]);
    if (result.ok) stored += 1;
    else reason = result.reason;
    assert.ok(stored < 10_000, "the disk fills up");
  }
  assert.ok(reason.includes(join(disk, "log.db")) && reason.includes("df -h"), reason);
  assert.equal(await session.commit([commit]), "unknown");
  assert.ok(!session.ended.aborted, "it may pass");
  assert.equal((await scan(log, at("enrolled", 0))).records.length, stored);

  rmSync(ballast);
  assert.deepEqual(await log.append([aRecord("enrolled", 0, "after")]), { ok: true });
  assert.equal(await session.commit([commit]), "committed");
  await log.close();
  const again = await tryOpen(disk);
  assert.ok(again.ok);
  assert.equal((await scan(again.log, at("enrolled", 0))).records.length, stored + 1);
  await again.log.close();
});

fullDisk("a new log can't be made on a full disk; once there is space it can", async (_, disk) => {
  fill(disk);
  const opening = await tryOpen(disk);
  assert.ok(!opening.ok);
  assert.equal(opening.problem.code, "log-disk-full");
  assert.equal(opening.retryable, true);
  for (let size = 2 * 1024 * 1024; size >= 1; size = Math.floor(size / 2))
    rmSync(join(disk, `ballast${size}`));
  assert.ok(!existsSync(join(disk, "ballast1")));
  const again = await tryOpen(disk);
  assert.ok(again.ok);
  await again.log.close();
});

/** Nothing is left, not even for the file of 32 KiB that SQLite keeps beside an open log. */
function fill(disk: string): void {
  for (let size = 2 * 1024 * 1024; size >= 1; size = Math.floor(size / 2))
    spawnSync("dd", ["if=/dev/zero", `of=${join(disk, `ballast${size}`)}`, `bs=${size}`, "count=1"]);
}

fullDisk(
  "a log that stood there before can't be opened on a full disk; it is a failure, and may pass",
  async (_, disk) => {
    const first = await tryOpen(disk);
    assert.ok(first.ok);
    await first.log.close();
    fill(disk);
    const opening = await tryOpen(disk);
    assert.ok(!opening.ok);
    assert.match(opening.problem.message, /event log .*log\.db/);
    assert.match(opening.problem.fix, /df -h/);
    assert.equal(opening.retryable, true);
  },
);

fullDisk(
  "a worker that finds no space for its lock names that file, and says to start again",
  async (_, disk) => {
    const opening = await tryOpen(disk);
    assert.ok(opening.ok);
    fill(disk);
    const failed = Promise.withResolvers<Problem>();
    await opening.log.join(
      () => assert.fail("no lock, no session"),
      (_reason, problem) => failed.resolve(problem!),
    );
    const { code, message, fix } = await failed.promise;
    assert.equal(code, "log-disk-full");
    assert.equal(message, `No space is left for the lock file ${join(disk, "worker.lock")}.`);
    assert.match(fix, /df -h .* Then start the worker again\.$/);
    assert.doesNotMatch(fix, /tried again/);
    await opening.log.close();
  },
);

test("a transaction that doesn't fit leaves no part of itself", { timeout }, async (t) => {
  const { file, db, store, mark } = storeOf(t);
  const writer = new Writer({ file, store, mark, clock: systemClock, wal: null }, 1_000);
  db.exec("PRAGMA max_page_count = 60");
  const small = [aRecord("dlq", 0, "small")];
  const large = Array.from({ length: 500 }, () => aRecord("dlq", 0, filler));
  const results = await Promise.all([
    writer.write(1, () => store.append(small, 1)),
    writer.write(500, () => store.append(large, 1)),
    writer.write(1, () => store.append(small, 1)),
  ]);
  assert.deepEqual(
    results.map((result) => (result.ok ? "ok" : result.problem.code)),
    ["ok", "log-disk-full", "ok"],
  );
  const fetched = store.fetch("dlq", 0, 0);
  assert.ok(fetched.kind === "records" && fetched.records.length === 2);
});
