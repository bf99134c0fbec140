import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { GraphBehaviour } from "../../emulator/settings.ts";
import { runCli, startCli, temporaryDirectory } from "../cli/run-cli.ts";
import { certificate } from "../support/certificates.ts";

test("prints what to export, answers, ends with 0 on SIGTERM", async (t) => {
  const emulator = startCli([
    "emulate-graph",
    "--https-port",
    "0",
    "--http-port",
    "0",
    "--ca-dir",
    temporaryDirectory(t),
    "--ids",
    "ignore",
    "--latency",
    "1-5",
  ]);
  t.after(() => emulator.child.kill("SIGKILL"));
  const announced = await emulator.line(/listens on/);
  const http = /http:\/\/localhost:\d+/.exec(announced)![0];
  await emulator.line(/_control\/inventory/);
  const settings = await (await fetch(`${http}/_control/settings`)).json();
  assert.equal((settings as { idMode: string }).idMode, "ignore");
  const faults = await (await fetch(`${http}/_control/faults`)).json();
  assert.deepEqual((faults as { latency: object }).latency, { kind: "uniform", minMs: 1, maxMs: 5 });
  emulator.child.kill("SIGTERM");
  const { code, stdout } = await emulator.ended;
  assert.equal(code, 0);
  for (const variable of [
    "GRAPH_BASE_URL",
    "AZURE_AUTHORITY_HOST",
    "GRAPH_CA_FILE",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
  ]) {
    assert.match(stdout, new RegExp(`^export ${variable}=\\S+$`, "m"));
  }
});

test("the settings file holds what is printed, and a shell that reads it has the settings", async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, "with blank", "settings");
  const emulator = startCli([
    "emulate-graph",
    "--https-port",
    "0",
    "--ca-dir",
    directory,
    "--settings-file",
    file,
  ]);
  t.after(() => emulator.child.kill("SIGKILL"));
  await emulator.line(/_control\/inventory/);
  const shell = spawnSync("sh", ["-c", '. "$1"; env', "sh", file], { env: {}, encoding: "utf8" });
  emulator.child.kill("SIGTERM");
  const { stdout } = await emulator.ended;
  const printed = stdout.split("\n").filter((line) => line.startsWith("export "));
  assert.equal(printed.length, 6);
  for (const line of printed) assert.ok(shell.stdout.includes(`${line.slice("export ".length)}\n`), line);
});

test("a secret of the user's own is not printed", async (t) => {
  const emulator = startCli(["simulate-graph", "--https-port", "0"], {
    AZURE_CLIENT_SECRET: "my-own-secret",
  });
  t.after(() => emulator.child.kill("SIGKILL"));
  await emulator.line(/_control\/inventory/);
  emulator.child.kill("SIGINT");
  const { code, stdout } = await emulator.ended;
  assert.equal(code, 0);
  assert.ok(!stdout.includes("my-own-secret"));
  assert.doesNotMatch(stdout, /^export AZURE_CLIENT_SECRET/m);
});

test("a taken port: exit 2 with what to type", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  const { code, stderr } = await runCli(["emulate-graph", "--https-port", String(port)]);
  assert.equal(code, 2);
  assert.match(stderr, new RegExp(`Port ${port} is taken`));
});

test("the forms of values and lists are set at the start", async (t) => {
  const flags = ["--normalise", "utc,seconds,trimmed-names", "--list-form", "hole"];
  const emulator = startCli(["simulate-graph", "--https-port", "0", "--http-port", "0", ...flags]);
  t.after(() => emulator.child.kill("SIGKILL"));
  const http = /http:\/\/localhost:\d+/.exec(await emulator.line(/listens on/))![0];
  const { normalise, listForm } = (await (await fetch(`${http}/_control/settings`)).json()) as GraphBehaviour;
  assert.deepEqual([normalise, listForm], [["utc", "seconds", "trimmed-names"], "hole"]);
});

for (const [flag, value] of [
  ["--normalise", "utc,lunar"],
  ["--list-form", "round"],
] as const)
  test(`a form that there is not: exit 2, with those that there are (${flag})`, async () => {
    const { code, stderr } = await runCli(["simulate-graph", flag, value]);
    assert.equal(code, 2);
    assert.match(stderr, flag === "--normalise" ? /"lunar" is none of utc, seconds/ : /whole, circle/);
  });

test("a latency that is none: exit 2", async () => {
  const { code, stderr } = await runCli(["emulate-graph", "--latency", "fast"]);
  assert.equal(code, 2);
  assert.match(stderr, /milliseconds/);
});

const root = join(import.meta.dirname, "..", "..");
const alone = join(root, "emulator", "main.ts");

test("as a program of its own it ends with 0 on SIGTERM, and with 2 for what it does not take", async (t) => {
  const emulator = spawn(process.execPath, [alone, "--https-port", "0"]);
  t.after(() => emulator.kill("SIGKILL"));
  const ended = once(emulator, "exit");
  for await (const line of createInterface({ input: emulator.stdout })) {
    if (line.includes("_control/inventory")) emulator.kill("SIGTERM");
  }
  assert.deepEqual(await ended, [0, null]);
  const wrong = spawnSync(process.execPath, [alone, "--ids", "perhaps"], { encoding: "utf8" });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /honour, ignore, refuse/);
});

test("the application's certificates, whom it trusts, and the cloud, by flags", async (t) => {
  const directory = temporaryDirectory(t);
  const { cert } = await certificate("app");
  const trust = [{ issuer: "https://oidc.example/", subject: "s", audience: "a", keys: null }];
  const [certificateFile, federatedFile] = [join(directory, "app.pem"), join(directory, "trust.json")];
  writeFileSync(certificateFile, cert);
  writeFileSync(federatedFile, JSON.stringify(trust));
  const flags = ["--certificates", certificateFile, "--federated", federatedFile, "--cloud", "us-gov"];
  const ports = ["--https-port", "0", "--http-port", "0", "--ca-dir", directory];
  const emulator = startCli(["emulate-graph", ...ports, ...flags]);
  t.after(() => emulator.child.kill("SIGKILL"));
  const http = /http:\/\/localhost:\d+/.exec(await emulator.line(/listens on/))![0];
  const answer = await fetch(`${http}/_control/entra`);
  const entra = (await answer.json()) as { certificates: unknown; federated: unknown };
  assert.deepEqual([entra.certificates, entra.federated], [[cert], trust]);
  emulator.child.kill("SIGTERM");
  assert.equal((await emulator.ended).code, 0);
});

for (const [flag, path, what] of [
  ["--certificates", import.meta.filename, /holds no certificate in PEM form/],
  ["--certificates", "/nonexistent.pem", /can't be read \(ENOENT\)/],
  ["--federated", import.meta.filename, /is not what it has to be/],
] as const) {
  test(`${flag} of a file that does not serve: it is named, exit 2 (${what.source})`, async (t) => {
    const ports = ["--https-port", "0", "--ca-dir", temporaryDirectory(t)];
    const { code, stderr } = await runCli(["emulate-graph", ...ports, flag, path]);
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`${flag} ${path} `), stderr);
    assert.match(stderr, what);
  });
}
