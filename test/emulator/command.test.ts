import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { GraphBehaviour } from "../../emulator/settings.ts";
import { runCli, startCli, temporaryDirectory } from "../cli/run-cli.ts";

test("prints what to export, answers, ends with 0 on SIGTERM", async (t) => {
  const emulator = startCli([
    "simulate-graph",
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
    "simulate-graph",
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
  const { code, stderr } = await runCli(["simulate-graph", "--https-port", String(port)]);
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
  const { code, stderr } = await runCli(["simulate-graph", "--latency", "fast"]);
  assert.equal(code, 2);
  assert.match(stderr, /milliseconds/);
});
