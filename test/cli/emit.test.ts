import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { jsonLines, runCli, temporaryDirectory } from "./run-cli.ts";

const tenant = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";
const data = {
  connectorName: "Connector Name value",
  machineName: "Machine Name value",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
  connectorVersion: "Connector Version value",
};

async function stored(directory: string): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await runCli(["tail", "enrolled", "--no-follow"], { DATA_DIR: directory });
  assert.equal(code, 0, stderr);
  return jsonLines(stdout);
}

test("from flags: one event, keyed by its tenant, with the properties as given", async (t) => {
  const directory = temporaryDirectory(t);
  const { code, stdout, stderr } = await runCli([
    "emit",
    "--tenant",
    tenant,
    "--connector",
    data.connectorName,
    "--machine",
    data.machineName,
    "--enrolled-at",
    data.enrollmentDateTime,
    "--last-checkin",
    data.lastCheckinDateTime,
    "--connector-version",
    data.connectorVersion,
    "--id",
    "event-1",
    "--data-dir",
    directory,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^emitted event-1 for tenant \S+ to partition \d\n$/);
  assert.match(stderr, /^1 emitted, 0 refused$/m);
  const [record] = await stored(directory);
  const event = JSON.parse(String(record!.value));
  assert.equal(record!.key, tenant);
  assert.deepEqual(event.data, data);
  assert.equal(event.id, "event-1");
});

test("--binary puts the attributes in ce_ headers and the bare data in the value", async (t) => {
  const directory = temporaryDirectory(t);
  const line = JSON.stringify({
    specversion: "1.0",
    id: "event-2",
    source: "/installers",
    type: "connector.enrolled",
    tenantid: tenant,
    data,
  });
  const { code, stderr } = await runCli(["emit", "-", "--binary"], { DATA_DIR: directory }, line);
  assert.equal(code, 0, stderr);
  const [record] = await stored(directory);
  const headers = record!.headers as Record<string, string>;
  assert.equal(headers.ce_id, "event-2");
  assert.equal(headers.ce_tenantid, tenant);
  assert.equal(headers["content-type"], "application/json");
  assert.deepEqual(JSON.parse(String(record!.value)), data);
});

test("lines of data and of events from a file; bad ones are refused by line, the rest goes out, exit 1", async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, "events.jsonl");
  const event = {
    specversion: "1.0",
    id: "e",
    source: "/i",
    type: "connector.enrolled",
    tenantid: tenant,
    data,
  };
  const lines = [
    data,
    { ...data, tenantId: tenant },
    event,
    "",
    "{oops",
    { ...data, machineName: "" },
    { ...event, type: "other" },
  ];
  writeFileSync(
    file,
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  );
  const { code, stdout, stderr } = await runCli(["emit", "--file", file, "--json"], {
    DATA_DIR: join(directory, "log"),
    AZURE_TENANT_ID: tenant,
  });
  assert.equal(code, 1);
  assert.equal(jsonLines(stdout).length, 3);
  assert.match(stderr, /^refused line 5: not a JSON object: it begins here and has no end$/m);
  assert.match(stderr, /^refused line 6: .*\(property-empty at \/data\/machineName\)$/m);
  assert.match(stderr, /^refused line 7: .*type-unknown/m);
  assert.match(stderr, /^3 emitted, 3 refused$/m);
  assert.equal((await stored(join(directory, "log"))).length, 3);
});

test("--count spreads its samples over --tenant, else over ALLOWED_TENANTS; one event goes to AZURE_TENANT_ID", async (t) => {
  const others = ["6a1d2e3f-4b5c-4d6e-9f70-8192a3b4c5d6", "8c3f4051-6d7e-4f80-9192-a3b4c5d6e7f8"];
  const environment = {
    DATA_DIR: temporaryDirectory(t),
    AZURE_TENANT_ID: tenant,
    ALLOWED_TENANTS: [tenant, ...others].join(","),
  };
  const tenantsOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(["emit", "--json", ...args], environment);
    assert.equal(code, 0, stderr);
    return [...new Set(jsonLines(stdout).map(({ tenantId }) => String(tenantId)))].sort();
  };
  assert.deepEqual(await tenantsOf("--count", "30", "--seed", "1"), [tenant, ...others]);
  assert.deepEqual(await tenantsOf("--count", "30", "--seed", "1", "--tenant", others.join(",")), others);
  assert.deepEqual(await tenantsOf("--machine", "m", "--connector", "c"), [tenant]);
});

test("a file without events is said to hold none", async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, "events.json");
  writeFileSync(file, "\r\n");
  const { code, stderr } = await runCli(["emit", file, "--tenant", tenant], { DATA_DIR: directory });
  assert.deepEqual([code, stderr], [0, `0 emitted, 0 refused\n  ${file} holds no event.\n`]);
});

test("--raw is advised only where it helps: neither to those who typed it, nor for what is too long", async (t) => {
  const environment = { DATA_DIR: temporaryDirectory(t) };
  const long = JSON.stringify({ text: "x".repeat(1_000_001) });
  for (const raw of [[], ["--raw"]]) {
    const { code, stderr } = await runCli(["emit", "-", ...raw, "--tenant", tenant], environment, long);
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /longer than 1000000 characters, the most that emit takes; shorten it\n0 emitted, 1 refused\n {2}Correct what was refused\.\n$/,
    );
  }
  const both = await runCli(["emit", "-", "--tenant", tenant], environment, `${long}\n{oops\n`);
  assert.match(both.stderr, /0 emitted, 2 refused\n {2}Correct what was refused, or type --raw /);
});

test("--raw emits a line as it is", async (t) => {
  const directory = temporaryDirectory(t);
  const { code } = await runCli(
    ["emit", "-", "--raw", "--tenant", tenant],
    { DATA_DIR: directory },
    "{oops\n",
  );
  assert.equal(code, 0);
  assert.equal((await stored(directory))[0]!.value, "{oops");
});

for (const [args, hint] of [
  [["emit"], /--connector and --machine, or --count, or a file of events/],
  [["emit", "--count", "3"], /--tenant <guid>, or set AZURE_TENANT_ID/],
  [["emit", "--file", "/nowhere/events"], /\/nowhere\/events can't be read: there is no such file/],
  [
    ["emit", "/"],
    /^connector-registrar: \/ can't be read: it is a directory\.\n {2}Type: connector-registrar emit </,
  ],
  [["emit", "--count", "1", "--topics-partitions", "0"], /TOPICS_PARTITIONS/],
] as const) {
  test(`${args.join(" ")}: exit 2 with what to type`, async (t) => {
    const { code, stderr } = await runCli(args, { DATA_DIR: temporaryDirectory(t) });
    assert.equal(code, 2, stderr);
    assert.match(stderr, hint);
  });
}
