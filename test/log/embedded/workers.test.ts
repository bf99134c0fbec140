/** One worker a directory, and other processes beside it. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openEmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import type { LogRecord, Session } from "../../../src/ports.ts";
import { Signal, text } from "../../contracts/event-log/harness.ts";
import { type OpenLog, workspaceOf } from "./harness.ts";
import { ManualClock } from "./manual-clock.ts";
import { nextLine, startChild } from "./processes.ts";

const timeout = 20_000;

function joining(log: OpenLog) {
  const failure = Promise.withResolvers<string>();
  const session = Promise.withResolvers<Session>();
  const membership = log.join(session.resolve, failure.resolve);
  return { failure: failure.promise, session: session.promise, membership };
}

test("a second worker learns who holds the directory, and takes over once that one is dead", {
  timeout,
}, async (t) => {
  const { dataDir, open } = workspaceOf(t);
  const child = startChild(t, ["hold", dataDir]);
  assert.equal(await nextLine(child), "held");
  const log = await open();
  const reason = await joining(log).failure;
  assert.ok(reason.includes(dataDir), reason);
  assert.ok(reason.includes(`kill ${child.process.pid}`), reason);
  assert.match(reason, /DATA_DIR=<directory>/);
  assert.deepEqual(await log.append([]), { ok: true });
  await child.kill();
  assert.equal((await joining(log).session).ended.aborted, false);
});

test("a worker in another process is refused while this one works", { timeout }, async (t) => {
  const { dataDir, open } = workspaceOf(t);
  await joining(await open()).session;
  const line = await nextLine(startChild(t, ["hold", dataDir]));
  assert.ok(line.startsWith("refused ") && line.includes(`kill ${process.pid}`), line);
});

test("a removed lock file doesn't let two workers commit", { timeout }, async (t) => {
  const { dataDir, open } = workspaceOf(t);
  const first = joining(await open());
  const old = await first.session;
  rmSync(join(dataDir, "worker.lock"));
  const session = await joining(await open()).session;
  const commit = { topic: "enrolled", partition: 0, offset: 1, metadata: "" } as const;
  assert.equal(await session.commit([commit]), "committed");
  assert.equal(await old.commit([{ ...commit, offset: 9 }]), "superseded");
  assert.match(await first.failure, /worker\.lock/);
  assert.ok(old.ended.aborted);
  const positions = await session.positions([0]);
  assert.ok(positions.ok && positions.positions[0]!.committed!.offset === 1);
});

test("what other processes append is noticed by file events, without a timer", { timeout }, async (t) => {
  const { dataDir, open } = workspaceOf(t);
  await open();
  // No timer of this clock ever fires.
  const opening = await openEmbeddedLog({ dataDir, partitionCount: 1 }, new ManualClock());
  assert.ok(opening.ok);
  t.after(() => opening.log.close());
  const abort = new AbortController();
  const changed = new Signal();
  const got: LogRecord[] = [];
  const done = opening.log.tail(
    "dlq",
    "start",
    (records) => {
      got.push(...records);
      changed.fire();
    },
    abort.signal,
  );
  const child = startChild(t, ["append", dataDir]);
  for (const value of ["one", "two", "three"]) {
    const next = changed.next();
    child.process.stdin!.write(`${value}\n`);
    await next;
    assert.equal(text(got.at(-1)!.value), value);
  }
  abort.abort();
  assert.deepEqual(await done, { ok: true });
});

test("several processes may create the log at the same time", { timeout }, async (t) => {
  const { dataDir } = workspaceOf(t);
  const children = [0, 1, 2, 3].map(() => startChild(t, ["open", dataDir]));
  for (const child of children) assert.equal(await nextLine(child), '{"ok":true}');
});

test("several processes append at the same time: nothing is lost, nothing refused", {
  timeout,
}, async (t) => {
  const { dataDir, open } = workspaceOf(t);
  const log = await open();
  const children = [0, 1, 2].map(() => startChild(t, ["append", dataDir]));
  const each = 60;
  for (const [index, child] of children.entries()) {
    for (let n = 0; n < each; n += 1) child.process.stdin!.write(`${index} ${n}\n`);
  }
  await Promise.all(
    children.map(async (child) => {
      for (let n = 0; n < each; n += 1) assert.equal(await nextLine(child), "ack");
    }),
  );
  const values: string[] = [];
  const result = await log.scan(
    "dlq",
    0,
    0,
    (records) => values.push(...records.map((record) => text(record.value)!)),
    new AbortController().signal,
  );
  assert.deepEqual(result, { ok: true, nextOffset: 3 * each });
  for (const index of [0, 1, 2]) {
    const expected = Array.from({ length: each }, (_, n) => `${index} ${n}`);
    assert.deepEqual(
      values.filter((value) => value.startsWith(`${index} `)),
      expected,
    );
  }
});
