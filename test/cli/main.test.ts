import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { packageProgram } from "../../demo/program.ts";
import { labProgram } from "../../lab/program.ts";
import { commandOf } from "../../src/cli/program.ts";
import { runCli } from "./run-cli.ts";

const root = join(import.meta.dirname, "..", "..");
const product = [
  ...["start", "serve", "tokens", "emit", "tail", "doctor", "tenants", "health", "replay", "reconcile"],
  "audit",
  "repartition",
];

/** The commands that the help of a program lists. */
function listed(program: string): string[] {
  const { status, stdout } = spawnSync(process.execPath, [join(root, program), "--help"], {
    encoding: "utf8",
  });
  assert.equal(status, 0);
  return [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map((match) => match[1]!);
}

test("the product's program has the product's commands alone", () => {
  assert.deepEqual(listed("src/cli/main.ts"), product);
});

test("the package's program has demo and emulate-graph as well", () => {
  assert.deepEqual(listed("demo/main.ts").toSorted(), [...product, "demo", "emulate-graph"].toSorted());
});

test("the program of a clone has those that need a clone, and demo with a broker of its own", () => {
  assert.deepEqual(listed("lab/main.ts"), ["demo", "emulate-graph", "simulate", "chaos", "bench", "fuzz"]);
});

test("a usage error in a clone says what to type with npm", async () => {
  const { code, stderr } = await runCli(["chaos", "--event", "x"]);
  assert.equal(code, 2);
  assert.match(stderr, /^Type: npm run chaos -- --help$/m);
});

test("no command at all is a call for help", async () => {
  const { code, stdout } = await runCli([]);
  assert.equal(code, 0);
  assert.match(stdout, /^Usage:/);
});

test("--help-settings shows the settings as flags, with variables and defaults; --help leaves them out", async () => {
  const { code, stdout } = await runCli(["start", "--help-settings"]);
  assert.equal(code, 0);
  assert.match(
    stdout.replaceAll(/\s+/g, " "),
    /--graph-max-in-flight <value> Graph requests under way at a time\. Default 32\. \[GRAPH_MAX_IN_FLIGHT\]/,
  );
  assert.doesNotMatch(stdout, /--azure-client-secret(?!-file)/);
  const help = await runCli(["help", "start"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--help-settings/);
  assert.ok(!help.stdout.includes("--graph-max-in-flight"));
});

/** Of a terminal. What has many options of its own needs more lines. */
const linesMax: Readonly<Record<string, number>> = {
  emit: 34,
  "emulate-graph": 51,
  chaos: 76,
  demo: 28,
  replay: 28,
};

const everyCommand = [packageProgram, labProgram].flatMap((program) =>
  Object.keys(program.commands).map((name) => ({ program, name })),
);
for (const { program, name } of everyCommand) {
  test(`${program.name} ${name} --help: two examples with flags that exist, 80 columns, one screen`, async () => {
    const command = await commandOf(program, name);
    assert.ok(command !== null);
    let text = "";
    command.configureOutput({
      writeOut: (part) => {
        text += part;
      },
    });
    command.outputHelp();
    const lines = text.trimEnd().split("\n");
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    );
    assert.ok(lines.length <= (linesMax[name] ?? 25), `${lines.length} lines`);
    const examples = lines.filter((line) => line.startsWith(`  ${program.name} ${name}`));
    assert.equal(examples.length, 2);
    // `simulate` reads its own options.
    if (name === "simulate") return;
    // `tokens` has commands of its own.
    const known = [command, ...command.commands].flatMap(({ options }) => options.map(({ long }) => long));
    const used = examples.flatMap((line) => line.match(/--[a-z][a-z-]*/g) ?? []);
    assert.deepEqual(
      used.filter((flag) => !known.includes(flag)),
      [],
    );
  });
}

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
