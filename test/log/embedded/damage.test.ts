/** Files that are torn, damaged, removed or of another program: an error that names the file, nothing skipped. */
import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Session } from "../../../src/ports.ts";
import { append, aRecord, at, never, numbered, scan } from "../../contracts/event-log/harness.ts";
import { type OpenLog, tryOpen, workspaceOf } from "./harness.ts";
import { nextLine, startChild } from "./processes.ts";

const timeout = 20_000;
/** The superuser may write everywhere, so another user has to try. */
const nobody = process.getuid?.() === 0 ? ["65534"] : [];
const filler = "x".repeat(300);

async function fill(log: OpenLog, count = 300): Promise<void> {
  await append(
    log,
    numbered("value ", count).map((value) => aRecord("enrolled", 0, `${value} ${filler}`)),
  );
}

/** Fills a log, closes it, changes its file, and says how opening it went. */
async function openingAfter(workspace: ReturnType<typeof workspaceOf>, change: (file: string) => void) {
  const log = await workspace.open();
  await fill(log);
  await log.close();
  const file = join(workspace.dataDir, "log.db");
  change(file);
  return tryOpen(workspace.dataDir);
}

function overwrite(file: string, at: number, bytes: Uint8Array): void {
  const content = readFileSync(file);
  content.set(bytes, at);
  writeFileSync(file, content);
}

function assertRefused(opening: Awaited<ReturnType<typeof tryOpen>>, code: string, file: string): void {
  assert.ok(!opening.ok);
  assert.equal(opening.problem.code, code);
  assert.ok(opening.problem.message.includes(file), opening.problem.message);
  assert.notEqual(opening.problem.fix, "");
  assert.equal(opening.retryable, false);
}

test("a file that is not a database is refused", { timeout }, async (t) => {
  const { dataDir } = workspaceOf(t);
  writeFileSync(join(dataDir, "log.db"), "not a database at all\n".repeat(500));
  assertRefused(await tryOpen(dataDir), "log-damaged", join(dataDir, "log.db"));
});

test("a file of something else is refused, and left as it is", { timeout }, async (t) => {
  const { dataDir } = workspaceOf(t);
  const file = join(dataDir, "log.db");
  const db = new DatabaseSync(file);
  db.exec("CREATE TABLE somebody (elses TEXT)");
  db.close();
  const before = readFileSync(file);
  assertRefused(await tryOpen(dataDir), "log-foreign", file);
  assert.deepEqual(readFileSync(file), before);
});

test("a file of another format is refused", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const opening = await openingAfter(workspace, (file) => {
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 7");
    db.close();
  });
  assertRefused(opening, "log-version", join(workspace.dataDir, "log.db"));
  assert.ok(!opening.ok && opening.problem.message.includes("format 7"));
});

test("a truncated file is refused", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const opening = await openingAfter(workspace, (file) =>
    truncateSync(file, Math.floor(statSync(file).size / 2)),
  );
  assertRefused(opening, "log-damaged", join(workspace.dataDir, "log.db"));
});

test("overwritten pages are found at opening", { timeout }, async (t) => {
  for (const part of [0, 0.5, 0.9]) {
    const workspace = workspaceOf(t);
    const opening = await openingAfter(workspace, (file) => {
      const at = Math.floor((statSync(file).size * part) / 4096) * 4096;
      overwrite(file, at, new Uint8Array(4096).fill(0xa5));
    });
    assertRefused(opening, "log-damaged", join(workspace.dataDir, "log.db"));
  }
});

test("records that vanished from a sound database are found", { timeout }, async (t) => {
  for (const [where, found] of [
    ["offset > 250", "open"],
    ["offset < 3", "open"],
    ["offset = 77", "scan"],
  ] as const) {
    const workspace = workspaceOf(t);
    const opening = await openingAfter(workspace, (file) => {
      const db = new DatabaseSync(file);
      db.exec(`DELETE FROM enrolled_0 WHERE ${where}`);
      db.close();
    });
    if (found === "open") {
      assertRefused(opening, "log-damaged", join(workspace.dataDir, "log.db"));
      continue;
    }
    assert.ok(opening.ok);
    const result = await opening.log.scan("enrolled", 0, 0, () => {}, never());
    assert.ok(!result.ok && result.reason.includes("enrolled/0@77 is missing"));
    await opening.log.close();
  }
});

test("records that vanish from the end of an open log are missing, not an end", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const log = await workspace.open();
  await fill(log);
  const db = new DatabaseSync(join(workspace.dataDir, "log.db"));
  db.exec("DELETE FROM enrolled_0 WHERE offset >= 250");
  db.close();
  const handedOver: number[] = [];
  const result = await log.scan("enrolled", 0, 200, (records) => handedOver.push(records.length), never());
  assert.ok(!result.ok && result.reason.includes("enrolled/0@250 is missing"));
  const failed = Promise.withResolvers<string>();
  const joined = Promise.withResolvers<Session>();
  await log.join(joined.resolve, failed.resolve);
  const session = await joined.promise;
  session.seek("enrolled", 0, 250, -1);
  assert.deepEqual(await session.read("enrolled", 0), { kind: "ended" });
  assert.match(await failed.promise, /enrolled\/0@250 is missing/);
});

test("one flipped bit in a record stops its readers, and says which record", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const file = join(workspace.dataDir, "log.db");
  const opening = await openingAfter(workspace, () => {
    const at = readFileSync(file).indexOf("value 123 ");
    overwrite(file, at, Buffer.from("w"));
  });
  assert.ok(opening.ok, "too small for SQLite to notice");
  const { log } = opening;
  t.after(() => log.close());
  const handedOver: number[] = [];
  const result = await log.scan("enrolled", 0, 0, (records) => handedOver.push(records.length), never());
  assert.ok(!result.ok && result.reason.includes(file) && result.reason.includes("enrolled/0@123"));

  const joined = Promise.withResolvers<Session>();
  const failed = Promise.withResolvers<string>();
  await log.join(joined.resolve, failed.resolve);
  const session = await joined.promise;
  session.seek("enrolled", 0, 124, -1);
  assert.equal((await session.read("enrolled", 0)).kind, "records");
  session.seek("enrolled", 0, 100, -1);
  assert.deepEqual(await session.read("enrolled", 0), { kind: "ended" });
  assert.ok((await failed.promise).includes("enrolled/0@123"));
  assert.ok(session.ended.aborted);
});

test("a changed commit is found", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const log = await workspace.open();
  const joined = Promise.withResolvers<Session>();
  await log.join(joined.resolve, joined.reject);
  const session = await joined.promise;
  await session.commit([{ topic: "retry", partition: 1, offset: 5, metadata: "ahead 9" }]);
  const db = new DatabaseSync(join(workspace.dataDir, "log.db"));
  db.exec("UPDATE commits SET offset = 4");
  db.close();
  const positions = await session.positions([1]);
  assert.ok(!positions.ok && positions.reason.includes("retry/1"));
});

/** A copy of the files as a kill -9 would leave them: the newest transactions are in the write-ahead log alone. */
async function killedCopy(workspace: ReturnType<typeof workspaceOf>): Promise<string> {
  const log = await workspace.open();
  for (let call = 0; call < 5; call += 1) await fill(log, 5);
  const copy = join(workspace.dataDir, "copy");
  mkdirSync(copy);
  for (const name of ["log.db", "log.db-wal", "log.head"]) {
    cpSync(join(workspace.dataDir, name), join(copy, name));
  }
  await log.close();
  return copy;
}

test("a write-ahead log that lost its end is refused, until it is allowed to continue", {
  timeout,
}, async (t) => {
  const damages: ((wal: string) => void)[] = [
    (wal) => truncateSync(wal, statSync(wal).size - 10_000),
    (wal) => overwrite(wal, statSync(wal).size - 10_000, Buffer.from("overwritten")),
    (wal) => rmSync(wal),
  ];
  for (const [index, damage] of damages.entries()) {
    const workspace = workspaceOf(t);
    const copy = await killedCopy(workspace);
    damage(join(copy, "log.db-wal"));
    const opening = await tryOpen(copy);
    assertRefused(opening, "log-lost-changes", join(copy, "log.db"));
    assert.ok(!opening.ok && opening.problem.fix.includes(`rm ${join(copy, "log.head")}`), `damage ${index}`);
    rmSync(join(copy, "log.head"));
    const again = await tryOpen(copy);
    assert.ok(again.ok);
    const { records } = await scan(again.log, at("enrolled", 0));
    assert.ok(records.length < 25);
    await again.log.close();
  }
});

test("the files as a kill -9 leaves them open with everything in them", { timeout }, async (t) => {
  const opening = await tryOpen(await killedCopy(workspaceOf(t)));
  assert.ok(opening.ok);
  assert.equal((await scan(opening.log, at("enrolled", 0))).records.length, 25);
  await opening.log.close();
});

test("a removed log is not taken for a new one", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const opening = await openingAfter(workspace, (file) => rmSync(file));
  assertRefused(opening, "log-lost-changes", join(workspace.dataDir, "log.db"));
  assert.ok(!existsSync(join(workspace.dataDir, "log.db")), "nothing was created in its place");
});

test("a torn high-water mark does no harm", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const opening = await openingAfter(workspace, () => {
    writeFileSync(join(workspace.dataDir, "log.head"), "00000000000");
  });
  assert.ok(opening.ok);
  assert.equal((await scan(opening.log, at("enrolled", 0))).records.length, 300);
  await opening.log.close();
});

test("a directory that can't be made or written names itself", { timeout }, async (t) => {
  const { dataDir } = workspaceOf(t);
  const notADirectory = join(dataDir, "file");
  writeFileSync(notADirectory, "");
  assertRefused(await tryOpen(join(notADirectory, "data")), "log-cannot-open", notADirectory);

  const readOnly = join(dataDir, "read-only");
  mkdirSync(readOnly);
  chmodSync(readOnly, 0o555);
  chmodSync(dataDir, 0o755);
  const answer = JSON.parse(await nextLine(startChild(t, ["open", readOnly, ...nobody])));
  assertRefused(answer, "log-not-writable", readOnly);
});

test("a log that only another user may write is refused", { timeout }, async (t) => {
  const workspace = workspaceOf(t);
  const log = await workspace.open();
  await fill(log);
  await log.close();
  chmodSync(workspace.dataDir, 0o777);
  for (const name of ["log.db", "log.head"]) chmodSync(join(workspace.dataDir, name), 0o444);
  const answer = JSON.parse(await nextLine(startChild(t, ["open", workspace.dataDir, ...nobody])));
  assertRefused(answer, "log-not-writable", workspace.dataDir);
});

for (const from of ["start", "end"] as const) {
  test(`a partition of which nothing is known ends a tail from the ${from}`, { timeout }, async (t) => {
    const { dataDir, open } = workspaceOf(t);
    const log = await open();
    const file = join(dataDir, "log.db");
    const db = new DatabaseSync(file);
    db.exec("DELETE FROM bounds WHERE topic = 'dlq' AND partition = 1");
    db.close();
    const result = await log.tail("dlq", from, () => {}, never());
    assert.ok(!result.ok);
    assert.match(result.reason, /nothing is known of partition dlq\/1/);
    assert.ok(result.reason.includes(file));
  });
}
