import assert from "node:assert/strict";
import { test } from "node:test";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { bytes, json, logRecord, sampleEvent, tenantId, text } from "../../lab/testkit/samples.ts";
import type { OpenLog } from "../../src/compose.ts";
import type { Clock, NewRecord } from "../../src/ports.ts";
import { send } from "../../src/replay/send.ts";
import { scanBy } from "../support/scan-by.ts";
import { dayMs, home, letter, recordsOf, withLetters } from "./letters-at.ts";
import { jsonLines, runCli, startCli, temporaryDirectory } from "./run-cli.ts";

test("the cause removed, replayed, registered; a second replay leaves it out, --again does not", async (t) => {
  const { emulator, environment: graphAt } = await emulatorFor(t);
  const environment = { ...graphAt, DATA_DIR: temporaryDirectory(t) };
  const stranger = "11111111-2222-4333-8444-555555555555";
  const emitted = await runCli(
    ["emit", "--count", "3", "--seed", "1", "--tenant", stranger, "--quiet"],
    environment,
  );
  assert.equal(emitted.code, 0, emitted.stderr);
  const first = startCli(["start"], environment);
  t.after(() => first.child.kill("SIGKILL"));
  const refused = await runCli(["tail", "dlq", "--limit", "3"], environment);
  assert.equal(refused.code, 0, refused.stderr);
  first.child.kill("SIGTERM");
  await first.ended;

  const served = { ...environment, ALLOWED_TENANTS: stranger };
  const early = await runCli(["replay", "--json"], environment);
  assert.deepEqual(
    [JSON.parse(early.stdout).skipped.notServed, JSON.parse(early.stdout).tenantsNotServed],
    [3, [stranger]],
  );
  const replayed = await runCli(["replay", "--code", "tenant-not-allowed", "--json"], served);
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.deepEqual(JSON.parse(replayed.stdout), {
    deadLetters: 3,
    matched: 3,
    replayed: 3,
    skipped: { replayedBefore: 0, registered: 0, notServed: 0 },
    tenantsNotServed: [],
    unreadable: 0,
    dryRun: false,
    byCode: { "tenant-not-allowed": 3 },
  });
  const second = startCli(["start"], served);
  t.after(() => second.child.kill("SIGKILL"));
  const tail = await runCli(["tail", "--limit", "3"], environment);
  second.child.kill("SIGTERM");
  await second.ended;
  assert.equal(emulator.inventory()[stranger]?.length, 3);
  const letters = jsonLines(refused.stdout).map((each) =>
    JSON.parse((each.headers as Record<string, string>)["dead-letter"]!),
  );
  const registered = jsonLines(tail.stdout).map(
    ({ value }) => JSON.parse(String(value)).data.sourceEvent.offset,
  );
  assert.equal(letters.length, 3);
  // Named by the place of the replayed record, not of the refused one.
  assert.ok(registered.every((offset) => letters.every(({ source }) => source.offset !== offset)));

  const again = await runCli(["replay"], environment);
  assert.match(
    again.stdout,
    /^0 replayed; 3 of 3 dead letters match, 0 of them were replayed before and 3 are registered$/m,
  );
  const forced = await runCli(["replay", "--again", "--quiet"], served);
  assert.match(forced.stdout, /^3 replayed \(tenant-not-allowed 3\)/);
});

test("back as it came: key, value and headers, without what the worker added, and with the dead letter's id", async (t) => {
  const odd = logRecord({
    partition: 5,
    offset: 7,
    key: bytes("odd"),
    value: Uint8Array.of(0, 255, 128),
    headers: [
      ["dead-letter", bytes("the producer's own")],
      ["x", null],
      ["origin", bytes("enrolled/2/40")],
    ],
  });
  const DATA_DIR = await withLetters(
    t,
    letter(odd, "value-not-json"),
    letter(logRecord(), "tenant-not-allowed"),
  );
  const { code, stdout } = await runCli(["replay"], { DATA_DIR });
  assert.equal(code, 0);
  assert.match(stdout, /^replayed enrolled\/2\/40 \(value-not-json\) to partition 2$/m);
  assert.match(stdout, new RegExp(`^replayed enrolled/3/1042 .* to partition ${home}$`, "m"));
  const [back, good] = (await recordsOf(DATA_DIR, "enrolled")).sort((a, b) => a.key!.length - b.key!.length);
  assert.deepEqual([back!.partition, text(back!.key), [...back!.value!]], [2, "odd", [0, 255, 128]]);
  assert.deepEqual(
    back!.headers.map(([name, value]) => [name, value && text(value)]),
    [
      ["dead-letter", "the producer's own"],
      ["x", null],
      ["replayed-from", "enrolled/2/40"],
    ],
  );
  assert.deepEqual([good!.partition, text(good!.value)], [home, text(json(sampleEvent))]);
});

test("refused again: only the newer dead letter goes back; one that stands twice goes once", async (t) => {
  const bad = (offset: number, from: string | null) =>
    logRecord({
      offset,
      value: bytes("{"),
      headers: from === null ? [] : [["replayed-from", bytes(from)]],
    });
  const DATA_DIR = await withLetters(
    t,
    letter(bad(1, null), "value-not-json"),
    letter(bad(1, null), "value-not-json"),
    letter(bad(9, "enrolled/3/1"), "value-not-json"),
  );
  const { stdout } = await runCli(["replay"], { DATA_DIR });
  assert.match(
    stdout,
    /^1 replayed \(value-not-json 1\); 2 of 2 dead letters match, 1 of them were replayed before/m,
  );
  const [back] = await recordsOf(DATA_DIR, "enrolled");
  assert.deepEqual(
    back!.headers.map(([name, value]) => [name, text(value)]),
    [["replayed-from", "enrolled/3/9"]],
  );
});

test("filters: reason, tenant (by key where nothing can be read), id, time; a dry run appends nothing", async (t) => {
  const other = "11111111-2222-4333-8444-555555555555";
  const DATA_DIR = await withLetters(
    t,
    letter(logRecord({ offset: 1 }), "tenant-not-allowed", 3),
    letter(logRecord({ offset: 2, value: bytes("{"), key: bytes(other) }), "value-not-json", 1),
  );
  const dryRun = async (...filter: string[]) => {
    const { code, stdout, stderr } = await runCli(["replay", "--dry-run", ...filter], { DATA_DIR });
    assert.equal(code, 0, stderr);
    return [...stdout.matchAll(/^would replay (\S+)/gm)].map(([, id]) => id);
  };
  assert.deepEqual(await dryRun(), ["enrolled/3/1", "enrolled/3/2"]);
  assert.deepEqual(await dryRun("--code", "value-not-json,no-such"), ["enrolled/3/2"]);
  assert.deepEqual(await dryRun("--tenant", other.toUpperCase()), ["enrolled/3/2"]);
  assert.deepEqual(await dryRun("--tenant", tenantId), ["enrolled/3/1"]);
  assert.deepEqual(await dryRun("--id", "enrolled/3/1"), ["enrolled/3/1"]);
  assert.deepEqual(await dryRun("--since", "2d"), ["enrolled/3/2"]);
  const middle = new Date(Date.now() - 2 * dayMs).toISOString();
  assert.deepEqual(await dryRun("--until", middle), ["enrolled/3/1"]);
  assert.equal((await recordsOf(DATA_DIR, "enrolled")).length, 0);
  const wrong = await runCli(["replay", "--since", "yesterday"], { DATA_DIR });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /2h, 7d/);
});

test("not faster than asked, in memory only a part at a time, and a failed append ends it", async () => {
  const records = Array.from({ length: 1200 }, (_, offset) => ({
    ...letter(logRecord({ offset }), "value-not-json"),
    offset,
    timestampMs: 0,
    leaderEpoch: -1,
  }));
  let nowMs = 0;
  const clock: Clock = {
    nowMs: () => nowMs,
    wallMs: () => 0,
    after(delayMs, callback) {
      nowMs += delayMs;
      queueMicrotask(callback);
      return () => {};
    },
  };
  let held = 0;
  let heldMost = 0;
  let storedCount = 0;
  let stopAfter = Number.POSITIVE_INFINITY;
  const log = {
    partitionCount: 1,
    async append(some: readonly NewRecord[]) {
      if (storedCount + some.length > stopAfter) return { ok: false, reason: "full" } as const;
      storedCount += some.length;
      held -= some.length;
      return { ok: true } as const;
    },
    scan: scanBy(async ({ from }, onRecords, signal) => {
      for (let at = from; at < records.length; at += 100) {
        if (signal.aborted) return { ok: false, reason: "aborted" };
        held += 100;
        heldMost = Math.max(heldMost, held);
        onRecords(records.slice(at, at + 100));
      }
      return { ok: true, nextOffset: records.length };
    }),
  };
  const ids = () => new Set(records.map(({ offset }) => `enrolled/3/${offset}`));
  const settings = { perSecond: 50, dryRun: false, onReplayed: () => {} };
  const chosen = ids();
  assert.deepEqual(
    await send(
      { log: log as unknown as OpenLog, clock, signal: new AbortController().signal },
      chosen,
      settings,
    ),
    { ok: true },
  );
  assert.deepEqual([storedCount, chosen.size, heldMost], [1200, 0, 500]);
  assert.ok(nowMs >= (1200 / 50 - 2) * 1000 && nowMs <= (1200 / 50) * 1000, `${nowMs}`);

  stopAfter = storedCount + 12;
  const told: number[] = [];
  const onReplayed = (group: readonly unknown[]) => told.push(group.length);
  const failed = await send(
    { log: log as unknown as OpenLog, clock, signal: new AbortController().signal },
    ids(),
    { ...settings, onReplayed },
  );
  assert.deepEqual([failed, told], [{ ok: false, reason: "full" }, [5, 5]]);
});
