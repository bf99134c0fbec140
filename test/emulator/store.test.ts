/** `--data`: what survives the emulator's end, and which files are refused. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { startEmulator } from "../../emulator/server.ts";
import { DataFileProblem, openStore } from "../../emulator/store.ts";
import { runCli, startCli, temporaryDirectory } from "../cli/run-cli.ts";
import {
  clientId,
  clientSecret,
  collection,
  emulatorFor,
  example,
  manualClock,
  tenantA,
  tenantB,
} from "./support.ts";

const fileIn = (t: TestContext) => join(temporaryDirectory(t), "graph.db");

test("objects, counts, settings and tokens survive a restart; a reset empties the file", async (t) => {
  const dataFile = fileIn(t);
  const first = await emulatorFor(t, { dataFile, behaviour: { idMode: "ignore" } }, "http");
  const sendA = await first.as(tenantA);
  const sendB = await first.as(tenantB);
  const ids: string[] = [];
  for (const machineName of ["one", "two", "three"])
    ids.push((await sendA("POST", collection, { ...example, machineName })).json.id);
  await sendB("POST", collection, example);
  await sendA("PATCH", `${collection}/${ids[1]}`, { machineName: "two, renamed" });
  await sendA("DELETE", `${collection}/${ids[2]}`);
  await first.send("PUT", "/_control/faults", { errorBefore: 0.25 });
  await first.send("PUT", "/_control/settings", { pageSize: 1 });
  await first.send("PUT", "/_control/settings", { listLagMs: 5 });
  await first.send("PUT", "/_control/entra", { tenants: { [tenantB]: "no-consent" } });
  const before = await Promise.all(
    ["inventory", "faults", "settings", "entra"].map((name) => first.send("GET", `/_control/${name}`)),
  );
  const token = (await first.token(tenantA)).json.access_token;
  await first.emulator.close();

  const second = await emulatorFor(t, { dataFile, behaviour: { idMode: "ignore" } }, "http");
  const after = await Promise.all(
    ["inventory", "faults", "settings", "entra"].map((name) => second.send("GET", `/_control/${name}`)),
  );
  assert.deepEqual(
    after.map(({ json }) => json),
    before.map(({ json }) => json),
  );
  assert.equal(second.emulator.stats().createdCount, 4);
  await second.send("PUT", "/_control/faults", {});
  const headers = { authorization: `Bearer ${token}` };
  const page = await second.sendWith(headers)("GET", collection);
  assert.deepEqual([page.status, page.json.value[0].machineName], [200, "one"]);
  const next = await second.sendWith(headers)("GET", page.json["@odata.nextLink"]);
  assert.equal(next.json.value[0].machineName, "two, renamed");
  const created = await second.sendWith(headers)("POST", collection, example);
  assert.equal(created.status, 201);
  await second.send("POST", "/_control/reset");
  await second.emulator.close();

  const third = await emulatorFor(t, { dataFile }, "http");
  assert.deepEqual([third.emulator.inventory(), third.emulator.stats().createdCount], [{}, 0]);
  assert.equal((await third.send("GET", "/_control/settings")).json.pageSize, 1);
});

test("objects keep their age: a list shows after a restart what it would have shown without one", async (t) => {
  const dataFile = fileIn(t);
  const [before, after] = [manualClock(1_000_000), manualClock(1_000_400)];
  const first = await emulatorFor(t, { dataFile, clock: before, behaviour: { listLagMs: 500 } }, "http");
  await (await first.as(tenantA))("POST", collection, example);
  await first.emulator.close();
  const second = await emulatorFor(t, { dataFile, clock: after, behaviour: { listLagMs: 500 } }, "http");
  const send = await second.as(tenantA);
  assert.equal((await send("GET", collection)).json.value.length, 0);
  after.advance(100);
  assert.equal((await send("GET", collection)).json.value.length, 1);
});

test("what was answered is there after kill -9", async (t) => {
  const dataFile = fileIn(t);
  const caDir = temporaryDirectory(t);
  const flags = [
    "emulate-graph",
    "--https-port",
    "0",
    "--http-port",
    "0",
    "--ca-dir",
    caDir,
    "--data",
    dataFile,
  ];
  const start = async () => {
    const emulator = startCli(flags);
    t.after(() => emulator.child.kill("SIGKILL"));
    const announced = await emulator.line(/listens on/);
    assert.match(announced, /What it holds stays in /);
    return { emulator, http: /http:\/\/localhost:\d+/.exec(announced)![0] };
  };
  const { emulator, http } = await start();
  const { exchanged, token } = await exchange(http);
  for (let nth = 0; nth < 20; nth += 1)
    assert.equal((await exchanged("POST", { ...example, machineName: `m${nth}` })).status, 201);
  emulator.child.kill("SIGKILL");
  await emulator.ended;
  const again = await start();
  const { json } = await (await exchange(again.http, token)).exchanged("GET");
  assert.equal((json as { value: object[] }).value.length, 20);
  again.emulator.child.kill("SIGTERM");
  assert.equal((await again.emulator.ended).code, 0);
  assert.ok(!existsSync(`${dataFile}-wal`), "an orderly end leaves one file");
});

async function exchange(http: string, known?: string) {
  const form = {
    grant_type: "client_credentials",
    client_id: "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9",
    client_secret: "emulator-only",
    scope: "https://graph.microsoft.com/.default",
  };
  const grant = async () => {
    const answer = await fetch(`${http}/${tenantA}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  };
  const token = known ?? (await grant());
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const exchanged = async (method: string, body?: object) => {
    const answer = await fetch(http + collection, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: answer.status, json: (await answer.json()) as object };
  };
  return { exchanged, token };
}

/** What a file that is refused holds, and what is said of it. */
const refused: readonly [what: string, make: (path: string) => void, message: RegExp][] = [
  ["text", (path) => writeFileSync(path, "objects: none\n".repeat(100)), /was not made by this command/],
  ["noise", (path) => writeFileSync(path, randomBytes(8_192)), /was not made by this command/],
  ["another program's database", (path) => sqlite(path, "CREATE TABLE x (y)"), /belongs to another program/],
  [
    "a later form",
    (path) => sqlite(path, "CREATE TABLE x (y); PRAGMA application_id = 1198682216; PRAGMA user_version = 2"),
    /has form 2.*reads form 1/,
  ],
];
for (const [what, make, message] of refused) {
  test(`a file that holds ${what} is refused by its name, and left as it is`, async (t) => {
    const path = fileIn(t);
    make(path);
    const before = readFileSync(path);
    await assert.rejects(openStore(path, manualClock()), (error: DataFileProblem) => {
      assert.ok(error instanceof DataFileProblem, String(error));
      assert.ok(error.problem.message.startsWith(`--data ${path} `));
      return message.test(error.problem.message);
    });
    assert.deepEqual(readFileSync(path), before);
  });
}

function sqlite(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

test("a damaged object, or a setting that is none, is an error that names the file", async (t) => {
  for (const [sql, message] of [
    ["INSERT INTO object VALUES ('t', 'i', 1, 0, '{', '{}')", /is damaged/],
    [`INSERT INTO setting VALUES ('settings', '{"pageSize":0}')`, /holds settings that .*\/pageSize/],
  ] as const) {
    const dataFile = fileIn(t);
    (await openStore(dataFile, manualClock())).close();
    sqlite(dataFile, sql);
    const starting = startEmulator({ clientId, clientSecret, dataFile });
    await assert.rejects(starting, (error: DataFileProblem) => message.test(error.problem?.message));
  }
});

test("a file that another emulator has is refused", async (t) => {
  const path = fileIn(t);
  const store = await openStore(path, manualClock());
  await assert.rejects(openStore(path, manualClock()), /is in use by another emulator/);
  store.close();
  (await openStore(path, manualClock())).close();
});

test("only its owner can read the file: it may hold secrets", async (t) => {
  const path = fileIn(t);
  (await openStore(path, manualClock())).close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("what can't be kept is refused with 507, and has not happened", async (t) => {
  const { emulator, as, send } = await emulatorFor(t, { dataFile: fileIn(t) }, "http");
  const sendA = await as(tenantA);
  const { id } = (await sendA("POST", collection, example)).json;
  const full = t.mock.method(DatabaseSync.prototype, "exec", () => {
    throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
  });
  const reply = await sendA("POST", collection, example);
  assert.deepEqual([reply.status, reply.json.error.code], [507, "InsufficientStorage"]);
  assert.match(reply.json.error.message, /graph\.db can't be written: the disk is full/);
  assert.equal((await send("POST", "/_control/reset")).status, 507);
  full.mock.restore();
  assert.deepEqual(
    emulator.inventory()[tenantA]?.map((object) => object.id),
    [id],
  );
  assert.equal(emulator.stats().createdCount, 1);
});

test("the command says what is wrong with --data, and ends with 2", async (t) => {
  const path = join(temporaryDirectory(t), "missing", "graph.db");
  const { code, stderr } = await runCli(["emulate-graph", "--https-port", "0", "--data", path]);
  assert.equal(code, 2);
  assert.match(stderr, /--data .*missing\/graph\.db can't be used \(ENOENT\)/);
});
