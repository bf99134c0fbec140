/** The watcher on real files, with the system's own events; nothing here waits for a time, only for what is reported. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import type { Clock } from "../../src/ports.ts";
import { parseTenantsNow } from "../../src/tenants/parse.ts";
import { markAt, readTenantsFile, readTenantsFileNow } from "../../src/tenants/read-file.ts";
import { type Reloaded, watchTenantsFile } from "../../src/tenants/watch.ts";

const id = (n: number) => `${n.toString(16).padStart(8, "0")}-0000-4000-8000-00000000abcd`;
const textOf = (...numbers: number[]) =>
  JSON.stringify({ tenants: numbers.map((n) => ({ tenantId: id(n) })) });

/** What is reported, in order; each can be waited for once. */
function inbox<T>() {
  const messages: T[] = [];
  const waiting: ((message: T) => void)[] = [];
  return {
    put(message: T) {
      const wake = waiting.shift();
      if (wake === undefined) messages.push(message);
      else wake(message);
    },
    next: () =>
      new Promise<T>((resolve) => {
        const message = messages.shift();
        if (message === undefined) waiting.push(resolve);
        else resolve(message);
      }),
    size: () => messages.length,
  };
}

function watched(
  t: TestContext,
  path: string,
  more: { clock?: Clock; judge?: () => { pointer: string; text: string }[] } = {},
) {
  const read = readTenantsFileNow(path);
  assert(read.ok);
  const parsed = parseTenantsNow(read.bytes);
  assert(parsed.ok);
  const reloads = inbox<Reloaded>();
  const bad = inbox<readonly string[]>();
  const file = watchTenantsFile({
    path,
    first: parsed.content,
    firstMark: read.mark,
    judge: more.judge ?? (() => []),
    clock: more.clock ?? systemClock,
    onReloaded: reloads.put,
    onBad: bad.put,
  });
  t.after(() => file.close());
  return { file, reloads, bad };
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "tenants-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** No timer ever fires: what happens comes of events alone. */
const withoutTimers = (isIn: (delayMs: number) => boolean): Clock => ({
  ...systemClock,
  after: (delayMs, callback) => (isIn(delayMs) ? systemClock.after(delayMs, callback) : () => {}),
});

suite("a tenants file is read again", { timeout: 60_000 }, () => {
  const never5s = withoutTimers((delayMs) => delayMs < 5_000);

  test("when another one is put in its place", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1, 2));
    const { reloads } = watched(t, path, { clock: never5s });
    writeFileSync(`${path}.new`, textOf(2, 3));
    renameSync(`${path}.new`, path);
    const { changes, content } = await reloads.next();
    assert.deepEqual([changes.added, changes.removed], [[id(3)], [id(1)]]);
    assert.deepEqual([...content.tenants.keys()], [id(2), id(3)]);
  });

  test("when it is written in place", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1));
    const { reloads } = watched(t, path, { clock: never5s });
    writeFileSync(path, textOf(1, 2));
    assert.deepEqual((await reloads.next()).changes.added, [id(2)]);
  });

  test("when Kubernetes swaps the link in its folder", async (t) => {
    const place = folder(t);
    for (const [version, text] of [
      ["..one", textOf(1)],
      ["..two", textOf(1, 2)],
    ] as const) {
      mkdirSync(join(place, version));
      writeFileSync(join(place, version, "tenants.json"), text);
    }
    symlinkSync("..one", join(place, "..data"));
    symlinkSync(join("..data", "tenants.json"), join(place, "tenants.json"));
    const { reloads } = watched(t, join(place, "tenants.json"), { clock: never5s });
    symlinkSync("..two", join(place, "..data_tmp"));
    renameSync(join(place, "..data_tmp"), join(place, "..data"));
    assert.deepEqual((await reloads.next()).changes.added, [id(2)]);
  });

  test("when its folder tells nothing, by looking at it now and then", async (t) => {
    const place = folder(t);
    const elsewhere = folder(t);
    writeFileSync(join(elsewhere, "real.json"), textOf(1));
    symlinkSync(join(elsewhere, "real.json"), join(place, "tenants.json"));
    // Five seconds pass in one step.
    const quick: Clock = {
      ...systemClock,
      after: (delayMs, callback) => systemClock.after(delayMs >= 5_000 ? 20 : delayMs, callback),
    };
    const { reloads } = watched(t, join(place, "tenants.json"), { clock: quick });
    writeFileSync(join(elsewhere, "real.json"), textOf(1, 2));
    assert.deepEqual((await reloads.next()).changes.added, [id(2)]);
  });

  test("on request, though nothing seems to have changed", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1));
    const { file, reloads } = watched(t, path, { clock: never5s });
    await file.readNow();
    assert.deepEqual((await reloads.next()).changes.added, []);
  });

  test("when it changed before the watching began", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1));
    const read = readTenantsFileNow(path);
    assert(read.ok);
    writeFileSync(path, textOf(1, 2));
    const reloads = inbox<Reloaded>();
    const parsed = parseTenantsNow(read.bytes);
    assert(parsed.ok);
    const parts = { path, first: parsed.content, firstMark: read.mark, judge: () => [], clock: never5s };
    const file = watchTenantsFile({ ...parts, onReloaded: reloads.put, onBad: () => {} });
    t.after(() => file.close());
    assert.deepEqual((await reloads.next()).changes.added, [id(2)]);
  });

  test("once for many events", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1));
    const { reloads } = watched(t, path, { clock: never5s });
    for (let n = 2; n < 12; n++) writeFileSync(path, textOf(1, n));
    assert.deepEqual((await reloads.next()).changes.added, [id(11)]);
    assert.equal(reloads.size(), 0);
  });
});

suite("a bad tenants file", { timeout: 60_000 }, () => {
  for (const [name, text, line] of [
    ["that is not JSON", `{"tenants": [`, "/tenants/0 is cut off: the file ends within it"],
    ["with a bad entry", textOf(1).replace(id(1), "x"), "/tenants/0/tenantId is not a GUID"],
    ["that is empty", "", `the file is empty: write {"tenants": [{"tenantId": "<GUID>"}]} into it`],
  ] as const)
    test(`${name} is reported once and changes nothing; the next good one does`, async (t) => {
      const path = join(folder(t), "tenants.json");
      writeFileSync(path, textOf(1));
      const { file, reloads, bad } = watched(t, path);
      writeFileSync(path, text);
      assert.deepEqual(await bad.next(), [line]);
      assert.equal(file.problem(), line);
      assert.equal(reloads.size(), 0);
      writeFileSync(path, textOf(1, 2));
      assert.deepEqual((await reloads.next()).changes.added, [id(2)]);
      assert.equal(file.problem(), null);
      assert.equal(bad.size(), 0);
    });

  test("that is gone is reported, too", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1));
    const { bad } = watched(t, path);
    rmSync(path);
    assert.deepEqual(await bad.next(), [
      "the file can't be read (ENOENT): nothing is there: name a file by TENANTS_FILE, or put it there",
    ]);
  });

  for (const [name, put, line] of [
    ["a directory", (path: string) => mkdirSync(path), /is a directory: name the file in it by TENANTS_FILE/],
    ["a link to itself", (path: string) => symlinkSync(path, path), /\(ELOOP\): its link leads in a circle/],
  ] as const)
    test(`that is ${name} now is reported once; the next good one is read`, async (t) => {
      const path = join(folder(t), "tenants.json");
      writeFileSync(path, textOf(1));
      const { reloads, bad } = watched(t, path);
      rmSync(path);
      put(path);
      assert.match((await bad.next())[0]!, line);
      rmSync(path, { recursive: true });
      writeFileSync(path, textOf(1, 2));
      assert.deepEqual((await reloads.next()).changes.added, [id(2)]);
      assert.equal(bad.size(), 0);
      assert.equal(readTenantsFileNow(path).ok, true);
    });

  test("that can't be opened has the mark of what stands there, so it is reported", async (t) => {
    const path = folder(t);
    const read = await readTenantsFile(path);
    assert.deepEqual([read.ok, read.mark], [false, await markAt(path)]);
  });

  test("that is well formed, and can't be served, changes nothing either", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1));
    const { reloads, bad } = watched(t, path, {
      judge: () => [{ pointer: "/tenants/0/cloud", text: "is new" }],
    });
    writeFileSync(path, textOf(2));
    assert.deepEqual(await bad.next(), ["/tenants/0/cloud is new"]);
    assert.equal(reloads.size(), 0);
  });

  test("that is half written when it is read is not reported, if the rest follows", async (t) => {
    const path = join(folder(t), "tenants.json");
    writeFileSync(path, textOf(1));
    // The time for which a bad file must stand is over only when the rest was written.
    const rest = inbox<() => void>();
    const slow: Clock = {
      ...systemClock,
      after: (delayMs, callback) => {
        if (delayMs !== 1_000) return systemClock.after(delayMs, callback);
        rest.put(callback);
        return () => {};
      },
    };
    const { reloads, bad } = watched(t, path, { clock: slow });
    writeFileSync(path, textOf(1, 2).slice(0, 30));
    const standsLongEnough = await rest.next();
    writeFileSync(path, textOf(1, 2));
    standsLongEnough();
    assert.deepEqual((await reloads.next()).changes.added, [id(2)]);
    assert.equal(bad.size(), 0);
  });
});
