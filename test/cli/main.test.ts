import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "./run-cli.ts";

test("--help lists every command", async () => {
  const { code, stdout } = await runCli(["--help"]);
  assert.equal(code, 0);
  for (const name of ["start", "demo", "emit", "tail", "simulate-graph", "simulate"]) {
    assert.match(stdout, new RegExp(`^  ${name} `, "m"));
  }
});

test("no command at all is a call for help", async () => {
  const { code, stdout } = await runCli([]);
  assert.equal(code, 0);
  assert.match(stdout, /^Usage:/);
});

test("help of a command shows its flags with variables and defaults", async () => {
  const { code, stdout } = await runCli(["help", "start"]);
  assert.equal(code, 0);
  assert.match(
    stdout.replaceAll(/\s+/g, " "),
    /--graph-max-in-flight <value> Graph requests under way at once\. Default 32\. \[GRAPH_MAX_IN_FLIGHT\]/,
  );
  assert.ok(!stdout.includes("--azure-client-secret"));
});

for (const [words, hint] of [
  [["strat"], /Did you mean start\?/],
  [["emit", "--machin", "x"], /Did you mean --machine\?/],
  [["demo", "--events", "many"], /not a whole number/],
  [["demo", "--events", "0"], /at least 1/],
  [["demo", "--faults", "mild"], /none, flaky, harsh/],
  [["tail", "nothing"], /registered, dlq, enrolled, retry/],
] as const) {
  test(`${words.join(" ")} is a usage error with a hint`, async () => {
    const { code, stdout, stderr } = await runCli(words);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, hint);
    assert.match(stderr, /^Type: connector-registrar .*--help$/m);
  });
}

test("--version is the package's", async () => {
  const { code, stdout } = await runCli(["--version"]);
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});
