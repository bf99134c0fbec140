/** The snippets of docs/HTTP.md do what the page says, and its tables are those of the code. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { limits } from "../../src/server/http/limits.ts";
import { startCli, temporaryDirectory } from "./run-cli.ts";

const root = join(import.meta.dirname, "..", "..");
const page = readFileSync(join(root, "docs", "HTTP.md"), "utf8");

function snippet(name: string): string {
  const [, text] = new RegExp(`<!-- snippet ${name} -->\n\`\`\`\\w+\n([\\s\\S]*?)\n\`\`\``).exec(page) ?? [];
  assert.ok(text, `docs/HTTP.md has no snippet ${name}`);
  return text;
}

async function service(t: TestContext) {
  const { emulator, environment } = await emulatorFor(t);
  const DATA_DIR = temporaryDirectory(t);
  const TOKENS_FILE = join(DATA_DIR, "tokens.json");
  const created = startCli(["tokens", "create", "--name", "t", "--tenant", tenantId], { TOKENS_FILE });
  const token = (await created.ended).stdout.trim();
  const running = startCli(["start", "--serve", "--serve-port", "0"], {
    ...environment,
    DATA_DIR,
    TOKENS_FILE,
  });
  t.after(() => running.child.kill("SIGKILL"));
  const { url } = JSON.parse(await running.line(/serving at/));
  await running.line(/working on/);
  return {
    emulator,
    env: { PATH: process.env.PATH, REGISTRAR_URL: url, REGISTRAR_TOKEN: token, TENANT_ID: tenantId },
  };
}

/** What the command printed; it must end with 0. */
function output(command: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${command}: ${code}\n${text}`)),
    );
  });
}

for (const [name, machine, command, words] of [
  ["curl", "PC-CURL", "sh", ["-euc"]],
  ["python", "PC-PYTHON", "python3", ["-c"]],
  ["powershell", "PC-POWERSHELL", "pwsh", ["-NoProfile", "-NonInteractive", "-Command"]],
] as const) {
  const tool = name === "curl" ? "curl" : command;
  const skip = spawnSync(tool, ["--version"]).error === undefined ? false : `${tool} is not on this machine`;
  test(`the ${name} snippet enrolls one connector and shows its Graph id`, { skip }, async (t) => {
    const { emulator, env } = await service(t);
    const text = await output(command, [...words, snippet(name)], env);
    const [object] = emulator.inventory()[tenantId] ?? [];
    assert.equal(object!.machineName, machine);
    assert.ok(text.includes("registered") && text.includes(object!.id), text);
  });
}

test("a refused request ends the curl and Python snippets with the problem", async (t) => {
  const { env } = await service(t);
  for (const [command, words, name] of [
    ["sh", ["-euc"], "curl"],
    ["python3", ["-c"], "python"],
  ] as const) {
    if (spawnSync(command === "sh" ? "curl" : command, ["--version"]).error !== undefined) continue;
    const refused = output(command, [...words, snippet(name)], { ...env, REGISTRAR_TOKEN: "crt_other" });
    await assert.rejects(refused, /token-unknown/);
  }
});

test("the table of limits says what the code keeps", () => {
  const table = page.slice(page.indexOf("## Limits"), page.indexOf("## Running it"));
  const number = (value: number) => value.toLocaleString("en-US");
  for (const [what, value] of [
    ["body of a request", `${number(limits.bodyBytes)} bytes`],
    ["events in a batch", number(limits.batchEvents)],
    ["headers of a request", `${number(limits.headerBytes)} bytes`],
    ["time for the headers", `${limits.headersTimeoutMs / 1_000} s`],
    ["time for the whole request", `${limits.requestTimeoutMs / 1_000} s`],
    ["idle connection", `${limits.idleTimeoutMs / 1_000} s`],
    [
      "stalled connection, such as one that does not read its answers",
      `${limits.stalledTimeoutMs / 1_000} s`,
    ],
    ["`Prefer: wait`", `${limits.waitS} s`],
    ["requests that wait at the same time", number(limits.waiters)],
    [
      "events that the log has not confirmed",
      `${number(limits.pendingEvents)}, or ${number(limits.pendingBytes)} bytes`,
    ],
  ])
    assert.ok(table.includes(`| ${what} | ${value} |`), `${what} | ${value}`);
});

test("the table of errors has every code that the service answers with, under its status", () => {
  const table = page.slice(page.indexOf("## Errors"), page.indexOf("## Limits"));
  const source = globSync("src/server/http/problem.ts", { cwd: root }).map((path) =>
    readFileSync(join(root, path), "utf8"),
  )[0]!;
  const codes = [...source.matchAll(/failure\((\d{3}|status), "([a-z-]+)"/g)];
  assert.ok(codes.length > 25);
  for (const [, status, code] of codes) {
    const row = table.split("\n").find((line) => line.includes(`\`${code}\``));
    assert.ok(row, `${code} is not in the table`);
    if (status !== "status") assert.ok(row.includes(`| ${status} |`), `${code} is ${status}`);
  }
});
