/** What README.md and docs/ tell people to type works, and what they link to exists. See support/doc-commands.ts. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { obtainBroker, skipWithout } from "../lab/testkit/broker.ts";
import {
  anchorLinks,
  anchorsOf,
  commandBlocks,
  commandLines,
  namedPaths,
  namedScripts,
  relativeLinks,
  showsCommands,
  type TestedBlock,
  testedBlocks,
} from "./support/doc-commands.ts";
import { checkBlock, plainShell, readersEnvironment } from "./support/doc-script.ts";

const root = join(import.meta.dirname, "..");
const pages = globSync(["*.md", "docs/**/*.md", "lab/**/*.md"], { cwd: root })
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

test("every link to a heading leads to one", () => {
  const textOf = (path: string) => pages.find((page) => page.path === path)?.text ?? "";
  const dead = pages.flatMap(({ path, text }) =>
    anchorLinks(text)
      .filter(({ page, anchor }) => {
        const target = page === "" ? path : join(dirname(path), page);
        return !anchorsOf(textOf(target)).includes(anchor);
      })
      .map(({ page, anchor }) => `${path}: ${page}#${anchor}`),
  );
  assert.deepEqual(dead, []);
});

test("every path of the project that is named exists", () => {
  const missing = pages.flatMap(({ path, text }) =>
    namedPaths(text)
      .filter((name) => globSync(name, { cwd: root }).length === 0)
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test("docs/ARCHITECTURE.md names each folder and file of src, and of its folders", () => {
  const page = pages.find(({ path }) => path === "docs/ARCHITECTURE.md")?.text ?? "";
  const named = new Set([...page.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const entries = globSync(["src/*", "src/log/*", "src/{registrar,log/kafka}/*/"], { cwd: root });
  const names = entries
    .filter((path) => path !== "src/log")
    .map((path) => path.replace(/^src\/(registrar\/|log\/kafka\/)?/, ""));
  assert.ok(names.length > 20);
  assert.deepEqual(
    names.filter((name) => !named.has(name)),
    [],
  );
});

test("every npm script that is named exists", () => {
  const unknown = pages.flatMap(({ path, text }) =>
    namedScripts(text)
      .filter((name) => scripts[name] === undefined)
      .map((name) => `${path}: npm run ${name}`),
  );
  assert.deepEqual(unknown, []);
});

/** Commands of the pages for newcomers that no test runs, and why. All others stand in blocks that one does. */
const notRun: Record<string, string> = {
  "README.md: npm test": "it runs this file",
  "README.md: export KAFKA_BROKERS=broker-1:9092,broker-2:9092": "brokers of a deployment",
  "README.md: export AZURE_TENANT_ID=... AZURE_CLIENT_ID=... AZURE_CLIENT_SECRET=...": "an app in Entra",
  "README.md: export HTTP_PORT=8080": "belongs to the two above",
  "README.md: npm run doctor": "asks these brokers and the real Graph; test/cli/doctor.test.ts runs it",
  "README.md: npm run build && node dist/src/cli/main.js start":
    "works with the real Graph; .ci/run builds and starts it",
};

test("README.md and docs/COMPOSE.md show no command that no test runs, but for those that none can run", () => {
  const unmarked = pages
    .filter(({ path }) => path === "README.md" || path === "docs/COMPOSE.md")
    .flatMap(({ path, text }) => commandBlocks(path, text))
    .filter(({ run }) => run === null)
    .flatMap((block) => commandLines(block).map((line) => `${block.file}: ${line}`));
  assert.deepEqual(unmarked, Object.keys(notRun));
});

/** A reader whose first language is not English looks these up, or takes them for something else. */
const unclearWords =
  /\b(told from|whoever|heals?|mend(?:ed|s)?|anew|befalls?|betimes|nobody's|is it well|piece of news|bare parts)\b/gi;

test("documents, messages and comments use plain words", () => {
  const patterns = [
    "*.md",
    "*.yml",
    "{docs,emulator,demo,lab,deploy,docker,schemas,scripts,src,test}/**/*.{md,ts,mjs,yml,json,sh}",
  ];
  const files = globSync(patterns, { cwd: root }).filter((path) => path !== "test/docs.test.ts");
  assert.ok(files.length > 400, `${files.length} files`);
  const found = files.flatMap((path) =>
    [...readFileSync(join(root, path), "utf8").matchAll(unclearWords)].map(([word]) => `${path}: ${word}`),
  );
  assert.deepEqual(found, []);
});

const blocks = pages.flatMap(({ path, text }) => testedBlocks(path, text));
const broker = blocks.some(({ run: { needs } }) => needs.includes("kafka")) ? await obtainBroker() : null;
if (broker?.ok) after(() => broker.stop());

for (const block of blocks) {
  const name = `${block.file}:${block.line} ${block.script.split("\n")[0]}`;
  test(name, { skip: missing(block), timeout: block.run.timeoutMs + marginMs }, async () => {
    const env = readersEnvironment();
    if (block.run.needs.includes("kafka") && broker?.ok) env.KAFKA_BROKERS = broker.brokers.join(",");
    await checkBlock(block, { cwd: root, env, shell: plainShell });
  });
}

function missing({ run: { needs } }: TestedBlock): string | false {
  if (needs.includes("kafka") && broker !== null && !broker.ok) return skipWithout(broker);
  if (needs.includes("docker") && spawnSync("docker", ["info"], { stdio: "ignore" }).status !== 0) {
    return "no Docker engine answers";
  }
  return false;
}
