import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openFileSnapshots } from "../../src/snapshots/file-snapshots.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "snapshots-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const bytes = new TextEncoder().encode("what one partition has registered");
const fileOf = (partition: number) => join(directory, `ledger-${partition}.snapshot`);

test("what was saved comes back, by partition, and the last save wins", async () => {
  const store = openFileSnapshots(directory);
  assert.equal(await store.load(3), null);
  assert.deepEqual(await store.save(3, new Uint8Array(5)), { ok: true });
  assert.deepEqual(await store.save(3, bytes), { ok: true });
  assert.deepEqual(new Uint8Array((await store.load(3))!), bytes);
  assert.equal(await store.load(4), null);
  assert.deepEqual(readdirSync(directory), ["ledger-3.snapshot"]);
});

test("any byte changed, any byte missing or added: there is none", async () => {
  const store = openFileSnapshots(directory);
  await store.save(0, bytes);
  const whole = readFileSync(fileOf(0));
  for (let at = 0; at < whole.length; at++) {
    const broken = Buffer.from(whole);
    broken[at]! ^= 1;
    writeFileSync(fileOf(0), broken);
    assert.equal(await store.load(0), null, `byte ${at}`);
    writeFileSync(fileOf(0), whole.subarray(0, at));
    assert.equal(await store.load(0), null, `cut at ${at}`);
  }
  writeFileSync(fileOf(0), Buffer.concat([whole, Buffer.from([0])]));
  assert.equal(await store.load(0), null);
});

test("a directory that can't be made is a reason, not a throw", async () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  chmodSync(file, 0o600);
  const saved = await openFileSnapshots(join(file, "below")).save(0, bytes);
  assert.ok(!saved.ok);
  assert.match(saved.reason, /DATA_DIR/);
});
