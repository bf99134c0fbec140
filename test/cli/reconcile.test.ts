import assert from "node:assert/strict";
import { test } from "node:test";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { systemClock } from "../../src/clock.ts";
import { openGraphFrom } from "../../src/compose.ts";
import { loadSettings } from "../../src/config/load.ts";
import type { GraphObject } from "../../src/graph-port.ts";
import { type Environment, runCli, startCli, temporaryDirectory } from "./run-cli.ts";

function settingsOf(environment: Environment) {
  const loaded = loadSettings({ environment });
  assert.ok(loaded.ok);
  return loaded.settings;
}

/** `count` enrollments that a worker registered, which has ended again. */
async function registeredBefore(
  t: { after(end: () => void): void },
  environment: Environment,
  count: number,
): Promise<void> {
  const emitted = await runCli(["emit", "--count", String(count), "--seed", "1", "--quiet"], environment);
  assert.equal(emitted.code, 0, emitted.stderr);
  const worker = startCli(["start"], environment);
  t.after(() => worker.child.kill("SIGKILL"));
  const tail = await runCli(["tail", "--limit", String(count)], environment);
  assert.equal(tail.code, 0, tail.stderr);
  worker.child.kill("SIGTERM");
  await worker.ended;
}

/** Graph as someone else uses it. */
async function inGraph(
  environment: Environment,
  use: (graph: Awaited<ReturnType<typeof openGraphFrom>>["graph"]) => Promise<void>,
): Promise<void> {
  const { graph, close } = await openGraphFrom(settingsOf(environment), systemClock);
  try {
    await use(graph);
  } finally {
    await close();
  }
}

function copyOf({ id: _, ...details }: GraphObject) {
  const uuid = crypto.randomUUID();
  return { details, id: null, idempotencyKey: uuid, clientRequestId: uuid };
}

const quick = { REREAD_DELAY_MS: "10", REREAD_COUNT: "2" };

test("equal, exit 0; then a duplicate: found, deleted only with --fix --yes, the registered one stays", async (t) => {
  const { emulator, environment: graphAt } = await emulatorFor(t);
  const environment = { ...graphAt, ...quick, DATA_DIR: temporaryDirectory(t) };
  await registeredBefore(t, environment, 3);
  const equal = await runCli(["reconcile"], environment);
  assert.equal(equal.code, 0, equal.stdout + equal.stderr);
  assert.match(equal.stdout, new RegExp(`^tenant ${tenantId}: 3 registered, 3 in Graph, equal$`, "m"));

  const [first] = emulator.inventory()[tenantId]!;
  await inGraph(environment, async (graph) => {
    await graph.create(tenantId, [copyOf(first!)]);
  });
  const extra = emulator.inventory()[tenantId]!.at(-1)!;
  const found = await runCli(["reconcile", "--json"], environment);
  assert.equal(found.code, 1, found.stdout + found.stderr);
  const report = JSON.parse(found.stdout);
  assert.deepEqual(
    [report.equal, report.duplicated, report.superfluous, report.missing, report.orphaned, report.differing],
    [false, 1, 1, 0, 0, 0],
  );
  const [duplicated] = report.results[0].duplicated;
  assert.deepEqual([duplicated.registeredId, duplicated.superfluousIds], [first!.id, [extra.id]]);

  const unasked = await runCli(["reconcile", "--fix"], environment);
  assert.equal(unasked.code, 2);
  assert.match(unasked.stderr, /no terminal to ask on/);
  assert.equal(emulator.inventory()[tenantId]!.length, 4);

  const fixed = await runCli(["reconcile", "--fix", "--yes", "--json"], environment);
  assert.equal(fixed.code, 0, fixed.stdout + fixed.stderr);
  assert.match(fixed.stderr, new RegExp(`to be deleted: ${extra.id} of tenant`));
  assert.deepEqual(JSON.parse(fixed.stdout).removed, [{ tenantId, id: extra.id }]);
  assert.equal(JSON.parse(fixed.stdout).equal, true);
  const left = emulator.inventory()[tenantId]!.map(({ id }) => id);
  assert.ok(left.length === 3 && left.includes(first!.id) && !left.includes(extra.id));
  assert.ok(!(fixed.stdout + fixed.stderr).includes(environment.AZURE_CLIENT_SECRET));
});

test("missing and orphaned are reported, and --fix deletes neither", async (t) => {
  const { emulator, environment: graphAt } = await emulatorFor(t);
  const environment = { ...graphAt, ...quick, DATA_DIR: temporaryDirectory(t) };
  await registeredBefore(t, environment, 2);
  const [first] = emulator.inventory()[tenantId]!;
  await inGraph(environment, async (graph) => {
    await graph.remove(tenantId, first!.id);
    await graph.create(tenantId, [copyOf(first!), copyOf({ ...first!, connectorName: "by hand" })]);
  });
  const { code, stdout, stderr } = await runCli(["reconcile", "--fix", "--yes"], environment);
  assert.equal(code, 1, stderr);
  assert.match(stdout, new RegExp(`^  missing +PKI.*registered as ${first!.id}$`, "m"));
  assert.equal(stdout.match(/^ {2}orphaned/gm)?.length, 2);
  assert.match(stdout, /^1 missing, 2 orphaned, 0 duplicated, 0 differing, 0 with two ids/m);
  assert.match(stderr, /Nothing to delete/);
  assert.equal(emulator.inventory()[tenantId]!.length, 3);
});

test("a tenant that is blocked is said to be, others are compared", async (t) => {
  const { emulator, environment: graphAt } = await emulatorFor(t);
  const environment = { ...graphAt, ...quick, DATA_DIR: temporaryDirectory(t) };
  await registeredBefore(t, environment, 1);
  const blocked = "11111111-2222-4333-8444-555555555555";
  emulator.setBehaviour({ blocks: { [blocked]: "forbidden" } });
  const both = await runCli(["reconcile", "--tenant", `${tenantId},${blocked}`], environment);
  assert.equal(both.code, 1, both.stderr);
  assert.match(both.stdout, new RegExp(`^tenant ${tenantId}: 1 registered, 1 in Graph, equal$`, "m"));
  assert.match(both.stdout, new RegExp(`^tenant ${blocked}: blocked: 403 `, "m"));

  const other = await runCli(["reconcile", "--tenant", blocked, "--json"], environment);
  assert.equal(other.code, 1);
  assert.deepEqual(JSON.parse(other.stdout).notAsked, [{ tenantId, registered: 1 }]);
});

test("an invalid GUID or an unknown property: exit 2 with what to type", async (t) => {
  const { environment } = await emulatorFor(t);
  const wrong = await runCli(["reconcile", "--tenant", "contoso"], environment);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /"contoso" is not a GUID/);
  const property = await runCli(["reconcile", "--ignore", "version"], environment);
  assert.equal(property.code, 2);
  assert.match(property.stderr, /connectorVersion/);
});
