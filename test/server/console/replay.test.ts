/** Replays: a dry run first, then what was shown and no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../../src/clock.ts";
import { createReplayRuns } from "../../../src/server/console/replay-runs.ts";
import { createWaits } from "../../../src/server/waits.ts";
import { until } from "../service-harness.ts";
import { type Console, consoleFor, endMs } from "./harness.ts";

const refusedCode = "graph-refused";

/** The address of the dry run, once it is there. */
async function dryRun(
  { post, get }: Console,
  form: Record<string, string> | URLSearchParams,
): Promise<string> {
  const begun = await post("/console/replays", form);
  assert.equal(begun.status, 303, await begun.text());
  const path = begun.headers.get("location")!;
  await until(async () => !(await (await get(path)).text()).includes("topics are being read"));
  return path;
}

const textOf = async ({ get }: Console, path: string) => (await get(path)).text();
const replayedFrom = ({ memory }: Console) =>
  memory.appends
    .flat()
    .map(({ headers }) => Buffer.from(headers.find(([name]) => name === "replayed-from")![1]!).toString());
const lettersOf = ({ index }: Console, code: string) =>
  index.search({ code, state: "refused", limit: 100 }).rows.map(({ refused }) => refused!.id);

test("by code: the dry run counts and appends nothing, the confirmation puts back what was shown, once", async (t) => {
  const console = await consoleFor(t);
  const path = await dryRun(console, { by: "reason", code: refusedCode });
  const wanted = lettersOf(console, refusedCode).sort();
  const shown = await textOf(console, path);
  assert.match(shown, new RegExp(`${wanted.length} dead letters would go back`));
  for (const id of wanted) assert.ok(shown.includes(id));
  assert.equal(console.memory.appends.length, 0);
  const confirm = () => console.post(`${path}/confirm`, {});
  const both = await Promise.all([confirm(), confirm()]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [303, 303],
  );
  await until(async () => (await textOf(console, path)).includes("Done:"));
  assert.deepEqual(replayedFrom(console).sort(), wanted);
  assert.equal((await confirm()).status, 303);
  assert.equal(replayedFrom(console).length, wanted.length);
  assert.deepEqual(
    console.notes.map(({ level, event }) => [level, event]),
    [
      ["info", "replay-confirmed"],
      ["info", "replay-done"],
    ],
  );
});

test("those that are marked, and no other", async (t) => {
  const console = await consoleFor(t);
  const [first, , third] = lettersOf(console, refusedCode);
  const form = new URLSearchParams([
    ["id", first!],
    ["id", third!],
  ]);
  const path = await dryRun(console, form);
  assert.match(await textOf(console, path), /2 dead letters would go back/);
  await console.post(`${path}/confirm`, {});
  await until(() => replayedFrom(console).length === 2);
  assert.deepEqual(replayedFrom(console).sort(), [first, third].sort());
});

test("those of a tenant that is not served are left out and named, until it is served", async (t) => {
  const unserved = new Set<string>();
  const parts = { isTenantAllowed: (tenantId: string) => !unserved.has(tenantId) };
  const console = await consoleFor(t, { parts });
  const { rows } = console.index.search({ code: refusedCode, state: "refused", limit: 100 });
  const tenantId = rows[0]!.tenantId!;
  const its = rows.filter((row) => row.tenantId === tenantId).map(({ refused }) => refused!.id);
  unserved.add(tenantId);
  const path = await dryRun(console, { id: its[0]! });
  const page = await textOf(console, path);
  assert.match(page, /Nothing of it would be replayed/);
  assert.match(page, new RegExp(`These tenants are not served[^]*${tenantId}[^]*`));
  assert.match(page, /Left out: their tenants are not served<\/dt><dd>1</);
  unserved.clear();
  const again = await dryRun(console, { id: its[0]! });
  // Taken off the list between the dry run and the confirmation.
  unserved.add(tenantId);
  await console.post(`${again}/confirm`, {});
  await until(async () => (await textOf(console, again)).includes("Done:"));
  assert.equal(console.memory.appends.length, 0);
});

test("what is registered between dry run and confirmation does not go", async (t) => {
  const console = await consoleFor(t);
  const { registered } = await import("./harness.ts");
  const [row] = console.index.search({ code: refusedCode, state: "refused", limit: 1 }).rows;
  const path = await dryRun(console, { id: row!.refused!.id });
  const { machineName, connectorName, enrollmentDateTime, tenantId, eventId, position } = row!;
  const of = {
    ...{ machine: machineName!, connector: connectorName!, at: enrollmentDateTime! },
    ...{ tenant: tenantId!, event: eventId! },
  };
  const event = console.memory.records("enrolled", position!.partition)[position!.offset]!;
  console.at(endMs, registered(of, event, endMs));
  await console.post(`${path}/confirm`, {});
  await until(async () => (await textOf(console, path)).includes("Done:"));
  assert.equal(console.memory.appends.length, 0);
});

test("nothing marked, a time that is none, an id of nothing: said, and nothing begins", async (t) => {
  const console = await consoleFor(t);
  const nothing = await console.post("/console/replays", {});
  assert.deepEqual([nothing.status, /Nothing is marked/.test(await nothing.text())], [400, true]);
  const wrong = await console.post("/console/replays", { by: "reason", since: "yesterday" });
  assert.deepEqual([wrong.status, /since/.test(await wrong.text())], [400, true]);
  const path = await dryRun(console, { id: "enrolled/0/99999" });
  assert.match(await textOf(console, path), /Nothing of it would be replayed/);
  assert.equal((await console.get("/console/replays/nothing")).status, 404);
});

test("one at a time; a dry run that is too old can't be confirmed", async (t) => {
  let wallMs = endMs;
  const clock = { ...systemClock, wallMs: () => wallMs };
  const console = await consoleFor(t, { parts: { clock } });
  const release = console.memory.hold("scan");
  const first = await console.post("/console/replays", { by: "reason" });
  assert.equal(first.status, 303);
  assert.equal((await console.post("/console/replays", { by: "reason" })).status, 409);
  release();
  const path = first.headers.get("location")!;
  await until(async () => (await textOf(console, path)).includes("would go back"));
  wallMs += 15 * 60_000 + 1;
  assert.match(await textOf(console, path), /too old/);
  await console.post(`${path}/confirm`, {});
  assert.equal(console.memory.appends.length, 0);
});

test("a log that fails: it is said how many went for certain, and the next replay may begin", async (t) => {
  const console = await consoleFor(t);
  const path = await dryRun(console, { by: "reason" });
  console.memory.appendScript.push("lost");
  await console.post(`${path}/confirm`, {});
  await until(async () => (await textOf(console, path)).includes("Trouble:"));
  assert.match(await textOf(console, path), /0 dead letters went back for certain/);
  await dryRun(console, { by: "reason" });
});

test("a stop of the service waits for what is under way, and puts nothing back after it", async (t) => {
  const console = await consoleFor(t);
  const path = await dryRun(console, { by: "reason" });
  const release = console.memory.hold("append");
  await console.post(`${path}/confirm`, {});
  await until(async () => (await textOf(console, path)).includes("went back into the input"));
  const stopped = console.service.stop(1_000);
  release();
  await stopped;
  assert.ok(console.memory.appends.length <= 1);
});

test("dead letters of many dry runs are not remembered: the oldest one can't be confirmed any longer", async (t) => {
  const { log, clock } = await consoleFor(t);
  const parts = {
    clock,
    log: () => log,
    waits: createWaits(10),
    isTenantAllowed: () => true,
    note: () => {},
  };
  const runs = createReplayRuns({ ...parts, idsKept: 1 });
  const any = { ids: null, codes: null, tenantIds: null, fromMs: 0, toMs: Infinity, again: true };
  const shown = async () => {
    const { id } = runs.begin(any, "a")!;
    await runs.ended();
    assert.ok(runs.find(id)!.chosen > 1);
    return id;
  };
  const [first, second] = [await shown(), await shown()];
  assert.deepEqual([runs.find(first)!.isStale, runs.find(second)!.isStale], [true, false]);
  assert.deepEqual([runs.confirm(first, "a"), runs.confirm(second, "a")], [false, true]);
  await runs.ended();
  assert.equal(runs.find(second)!.state, "sent");
});
