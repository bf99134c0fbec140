import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { GraphBehaviour } from "../../emulator/settings.ts";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { runCli, temporaryDirectory } from "./run-cli.ts";

type Context = { after(end: () => void | Promise<void>): void };

async function doctor(
  t: Context,
  extra: Readonly<Record<string, string>> = {},
  behaviour: Partial<GraphBehaviour> = {},
) {
  const { environment } = await emulatorFor(t, { behaviour });
  const dataDir = join(temporaryDirectory(t), "data");
  const ended = await runCli(["doctor"], { ...environment, DATA_DIR: dataDir, ...extra });
  return { ...ended, dataDir };
}

suite("doctor", () => {
  test("all is well: one line for each part, exit 0, and nothing was created", async (t) => {
    const { code, stdout, dataDir } = await doctor(t);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok +settings /m);
    assert.match(stdout, /^note +log +the embedded log in .* is not there yet/m);
    assert.match(stdout, new RegExp(`^ok +graph +tenant ${tenantId}: .* it has 0 connectors$`, "m"));
    assert.match(stdout, /^all is well$/m);
    assert.equal(existsSync(dataDir), false);
  });

  test("an embedded log that is there is opened", async (t) => {
    const { environment } = await emulatorFor(t);
    const settings = { ...environment, DATA_DIR: temporaryDirectory(t) };
    const emitted = await runCli(["emit", "--machine", "m", "--connector", "c"], settings);
    assert.equal(emitted.code, 0, emitted.stderr);
    const { code, stdout } = await runCli(["doctor"], settings);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ok +log +the embedded log in .*: topics with 8 partitions/m);
  });

  test("missing settings: all of them together, exit 2", async () => {
    const { code, stderr } = await runCli(["doctor"]);
    assert.equal(code, 2);
    for (const name of ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"])
      assert.match(stderr, new RegExp(`^    type: export ${name}='<[^>]+>'$`, "m"));
  });

  test("a wrong secret is distinguished from everything else and not shown, exit 2", async (t) => {
    const { code, stdout, stderr } = await doctor(t, { AZURE_CLIENT_SECRET: "stale-value" });
    assert.equal(code, 2);
    assert.match(stdout, /^wrong +graph .*AADSTS7000215.*\n +Set AZURE_CLIENT_SECRET to /m);
    assert.match(stdout, /^1 of 4 is wrong$/m);
    assert.doesNotMatch(stdout + stderr, /stale-value/);
  });

  test("a secret that is a common word takes no word out of the advice, exit 2", async (t) => {
    const { stdout } = await doctor(t, { AZURE_CLIENT_SECRET: "secret" });
    assert.match(
      stdout,
      /the secret is wrong \(its value is needed, not its id\)\n +Set AZURE_CLIENT_SECRET to a valid secret's value/,
    );
  });

  test("an application that the tenant does not know: the address where its administrator consents", async (t) => {
    const clientId = "aaaaaaaa-0000-4000-8000-000000000001";
    const { code, stdout } = await doctor(t, { AZURE_CLIENT_ID: clientId });
    assert.equal(code, 2);
    const address = `https://localhost:\\d+/${tenantId}/adminconsent\\?client_id=${clientId}`;
    assert.match(stdout, new RegExp(`AADSTS700016.*\n +Correct AZURE_CLIENT_ID; .*open ${address}$`, "m"));
  });

  test("a broker that does not answer may come back: exit 1, with what to check", async (t) => {
    const { code, stdout } = await doctor(t, {
      KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
      DATA_DIR: "",
    });
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^wrong +log +Kafka at 127\.0\.0\.1:\d+ can't be reached.*\n +.*KAFKA_BROKERS/m);
  });

  test("a Graph that does not answer may come back: exit 1", async (t) => {
    const address = `https://127.0.0.1:${await freePort()}`;
    const { code, stdout } = await doctor(t, { GRAPH_BASE_URL: address });
    assert.equal(code, 1, stdout);
    assert.match(
      stdout,
      /^wrong +graph .*no answer of Graph \(connect\).*\n +Check the network, and GRAPH_BASE_URL/m,
    );
  });

  for (const [name, behaviour, line] of [
    [
      "no permission",
      { permission: "none" },
      /lacks the role DeviceManagementConfiguration\.ReadWrite\.All; it has none at all\n +Give the app .*open https:\/\/localhost:\d+\/[-0-9a-f]{36}\/adminconsent\?client_id=[-0-9a-f]{36}$/,
    ],
    [
      "permission to read only",
      { permission: "read" },
      /lacks the role DeviceManagementConfiguration\.ReadWrite\.All; it has DeviceManagementConfiguration\.Read\.All\n/,
    ],
    [
      "a tenant that is refused all the same",
      { blocks: { [tenantId]: "forbidden" } },
      /403.*\n +Check that the tenant has an Intune licence\. Give the app .*adminconsent/,
    ],
    [
      "no licence",
      { blocks: { [tenantId]: "no-licence" } },
      /not applicable to target tenant.*\n +Check that the tenant has an Intune licence/,
    ],
    ["no such route", { route: "missing" }, /\n +Check GRAPH_CLOUD and GRAPH_BASE_URL/],
  ] as const) {
    test(`${name}: exit 2 and what to do`, async (t) => {
      const { code, stdout } = await doctor(t, {}, behaviour);
      assert.equal(code, 2, stdout);
      assert.match(stdout, new RegExp(`^wrong +graph +tenant .*${line.source}`, "m"));
    });
  }

  test("--json is one object with the same findings", async (t) => {
    const { environment } = await emulatorFor(t);
    const settings = { ...environment, DATA_DIR: join(temporaryDirectory(t), "data") };
    const { code, stdout } = await runCli(["doctor", "--json"], {
      ...settings,
      AZURE_CLIENT_SECRET: "stale-value",
    });
    assert.equal(code, 2);
    const { findings } = JSON.parse(stdout);
    assert.deepEqual(
      findings.map(({ part, status }: { part: string; status: string }) => `${part} ${status}`),
      ["settings ok", "log note", "graph note", "graph wrong"],
    );
  });
});
