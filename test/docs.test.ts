/** What README.md and docs/ tell people to type works, and what they link to exists. See support/doc-commands.ts. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { obtainBroker, skipWithout } from "./support/broker.ts";
import {
  namedScripts,
  relativeLinks,
  showsCommands,
  type TestedBlock,
  testedBlocks,
} from "./support/doc-commands.ts";

const root = join(import.meta.dirname, "..");
const pages = globSync(["*.md", "docs/**/*.md", "bench/**/*.md"], { cwd: root })
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const scripts: Record<string, string> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
const marginMs = 5_000;

test("README.md has commands that are tested, once it shows any", () => {
  const readme = pages.find(({ path }) => path === "README.md")?.text ?? "";
  if (showsCommands(readme)) assert.ok(testedBlocks("README.md", readme).length > 0);
});

test("every relative link leads to a file", () => {
  const dead = pages.flatMap(({ path, text }) =>
    relativeLinks(text)
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  assert.deepEqual(dead, []);
});

test("every npm script that is named exists", () => {
  const unknown = pages.flatMap(({ path, text }) =>
    namedScripts(text)
      .filter((name) => scripts[name] === undefined)
      .map((name) => `${path}: npm run ${name}`),
  );
  assert.deepEqual(unknown, []);
});

const blocks = pages.flatMap(({ path, text }) => testedBlocks(path, text));
const broker = blocks.some(({ needs }) => needs.includes("kafka")) ? await obtainBroker() : null;
if (broker?.ok) after(() => broker.stop());

for (const block of blocks) {
  const name = `${block.file}:${block.line} ${block.script.split("\n")[0]}`;
  test(name, { skip: missing(block), timeout: block.timeoutMs + marginMs }, async () => {
    const { exitCode, output } = await runBlock(block);
    assert.equal(exitCode, block.exitCode, output);
    for (const text of block.contains) assert.ok(output.includes(text), `no "${text}" in:\n${output}`);
  });
}

function missing({ needs }: TestedBlock): string | false {
  if (needs.includes("kafka") && broker !== null && !broker.ok) return skipWithout(broker);
  if (needs.includes("docker") && spawnSync("docker", ["info"], { stdio: "ignore" }).status !== 0) {
    return "no Docker engine answers";
  }
  return false;
}

async function runBlock(block: TestedBlock): Promise<{ exitCode: number | null; output: string }> {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT;
  delete env.KAFKA_BROKERS;
  if (block.needs.includes("kafka") && broker?.ok) env.KAFKA_BROKERS = broker.brokers.join(",");
  // A process group of its own, so that what the script started ends with it.
  const child = spawn("bash", ["-euo", "pipefail", "-c", block.script], { cwd: root, env, detached: true });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.stdin.end();
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // All of it has ended.
    }
  };
  const timer = setTimeout(() => {
    output += `\nended after ${block.timeoutMs} ms\n`;
    endGroup();
  }, block.timeoutMs);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  clearTimeout(timer);
  endGroup();
  return { exitCode, output };
}
