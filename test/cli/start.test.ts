import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { faultProfile } from "../../emulator/faults.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { jsonLines, runCli, startCli, temporaryDirectory } from "./run-cli.ts";

test("bad settings: all problems together, secrets masked, exit 2", async () => {
  const secret = "  ";
  const { code, stdout, stderr } = await runCli(["start", "--http-port", "99999"], {
    KAFKA_BROKERS: "nowhere",
    AZURE_TENANT_ID: "contoso",
    AZURE_CLIENT_SECRET: secret,
    KAFKA_GROUPID: "x",
  });
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /5 settings need a change/);
  for (const variable of [
    "KAFKA_BROKERS",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "HTTP_PORT",
  ]) {
    assert.match(
      stderr,
      new RegExp(`^  ${variable} \\(given: .*\\) .+\\n    type: export ${variable}=`, "m"),
    );
  }
  assert.match(stderr, /AZURE_CLIENT_SECRET \(given: \*\*\* \(2 characters\)\)/);
  assert.match(stderr, /KAFKA_GROUPID is not a setting; did you mean KAFKA_GROUP_ID\?/);
});

test("a taken port is one line with what to type, exit 2", async (t) => {
  const { environment } = await emulatorFor(t);
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await runCli(
    ["start", "--http-port", String(port), "--data-dir", temporaryDirectory(t)],
    environment,
  );
  assert.equal(code, 2);
  assert.match(stderr, new RegExp(`^connector-registrar: HTTP_PORT=${port} .*taken`));
});

test("a CA file that can't serve is named, with the reason, exit 2", async (t) => {
  const { environment } = await emulatorFor(t);
  const directory = temporaryDirectory(t);
  const { code, stderr } = await runCli(["start"], {
    ...environment,
    DATA_DIR: directory,
    GRAPH_CA_FILE: directory,
  });
  assert.equal(code, 2, stderr);
  assert.ok(
    stderr.startsWith(`connector-registrar: GRAPH_CA_FILE=${directory} can't be read (EISDIR).\n`),
    stderr,
  );
});

test("a worker that may not work from the start says why last", async (t) => {
  const { environment } = await emulatorFor(t);
  const DATA_DIR = temporaryDirectory(t);
  mkdirSync(join(DATA_DIR, "worker.lock"));
  const { code, stdout, stderr } = await runCli(["start"], { ...environment, DATA_DIR });
  assert.equal(code, 2, stderr);
  const lines = jsonLines(stdout);
  assert.equal(lines.at(-1)!.event, "fault", stdout);
  assert.equal(lines.at(-1)!.code, "log-cannot-open");
  assert.match(stderr, /^connector-registrar: The lock file .*\n {2}Make sure .*rm -r .*\n$/);
});

test("start, emit and tail in processes of their own: registered once, duplicate ignored, SIGTERM ends in good order", async (t) => {
  const { emulator, environment } = await emulatorFor(t);
  const DATA_DIR = temporaryDirectory(t);
  const worker = startCli(["start", "--http-port", "0"], { ...environment, DATA_DIR, LOG_LEVEL: "debug" });
  t.after(() => worker.child.kill("SIGKILL"));
  const { url } = JSON.parse(await worker.line(/health and metrics/));
  const emitted = await runCli(["emit", "--count", "5", "--seed", "1"], { ...environment, DATA_DIR });
  assert.equal(emitted.code, 0, emitted.stderr);
  assert.equal(emitted.stdout.trimEnd().split("\n").length, 5);
  const tail = await runCli(["tail", "--limit", "5"], { DATA_DIR });
  assert.equal(tail.code, 0, tail.stderr);
  const again = await runCli(["emit", "--count", "5", "--seed", "1", "--binary", "--quiet"], {
    ...environment,
    DATA_DIR,
  });
  assert.equal(again.code, 0, again.stderr);
  await worker.line(/record-duplicate.*/);

  const registered = jsonLines(tail.stdout).map(({ value }) => JSON.parse(String(value)));
  const objects = emulator.inventory()[tenantId] ?? [];
  assert.equal(objects.length, 5);
  assert.deepEqual(new Set(registered.map(({ data }) => data.id)), new Set(objects.map(({ id }) => id)));

  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^connector_registrar_registered_total\{outcome="created"\} 5$/m);
  worker.child.kill("SIGTERM");
  const { code, stdout, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
  const lines = jsonLines(stdout);
  assert.equal(lines.at(-1)!.msg, "stopped");
  assert.ok(!stdout.includes(environment.AZURE_CLIENT_SECRET));
  assert.equal(lines.filter(({ event }) => event === "record-registered").length, 5);
});

test("a second signal ends it immediately, requests in flight or not", async (t) => {
  const { emulator, environment } = await emulatorFor(t);
  emulator.setFaults({ ...faultProfile("none"), latency: { kind: "fixed", ms: 60_000 } });
  const DATA_DIR = temporaryDirectory(t);
  await runCli(["emit", "--count", "1", "--quiet"], { ...environment, DATA_DIR });
  const worker = startCli(["start"], { ...environment, DATA_DIR, LOG_LEVEL: "debug" });
  t.after(() => worker.child.kill("SIGKILL"));
  await worker.line(/records-read/);
  worker.child.kill("SIGINT");
  await worker.line(/finishing what is in flight/);
  worker.child.kill("SIGINT");
  const { code, stdout } = await worker.ended;
  assert.equal(code, 130);
  assert.ok(!stdout.includes('"msg":"stopped"'));
});

test("stopped before the broker can be reached: each try is a line, /readyz says why, exit 0", async (t) => {
  const { environment } = await emulatorFor(t);
  const worker = startCli(["start", "--http-port", "0"], { ...environment, KAFKA_BROKERS: "127.0.0.1:1" });
  t.after(() => worker.child.kill("SIGKILL"));
  const { url } = JSON.parse(await worker.line(/health and metrics/));
  const retry = JSON.parse(await worker.line(/Trying again/));
  assert.ok(retry.retryInMs > 0);
  const ready = await fetch(`${url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /log: .*127\.0\.0\.1:1/);
  worker.child.kill("SIGTERM");
  assert.equal((await worker.ended).code, 0);
});
