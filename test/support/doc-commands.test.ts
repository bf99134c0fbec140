import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anchorLinks,
  anchorsOf,
  commandBlocks,
  commandLines,
  namedPaths,
  namedScripts,
  relativeLinks,
  showsCommands,
  testedBlocks,
} from "./doc-commands.ts";

const fence = "```";

test("a fence after the mark is a script, with its expectations", () => {
  const page = [
    "# Page",
    "",
    `<!-- tested exit=2 contains="two words" contains=x needs=kafka timeout=5 -->`,
    "",
    `${fence}sh`,
    "$ npm run demo",
    "echo ok",
    fence,
    `${fence}sh`,
    "rm -rf not-marked",
    fence,
  ].join("\n");
  assert.deepEqual(testedBlocks("a.md", page), [
    {
      file: "a.md",
      line: 5,
      script: "npm run demo\necho ok",
      run: {
        kind: "tested",
        name: "",
        exitCode: 2,
        contains: ["two words", "x"],
        until: null,
        needs: ["kafka"],
        timeoutMs: 5000,
      },
    },
  ]);
  const unmarked = commandBlocks("a.md", page).filter(({ run }) => run === null);
  assert.deepEqual(unmarked.map(commandLines), [["rm -rf not-marked"]]);
});

test("terminals and compose have marks of their own; a block of a list loses its indentation", () => {
  const page = [
    `<!-- terminal 2 until='says "ready"' -->`,
    `${fence}sh`,
    "npm start # goes on",
    fence,
    "1. item",
    "   <!-- compose -->",
    `   ${fence}sh`,
    "   docker compose up \\",
    "     --wait",
    `   ${fence}`,
  ].join("\n");
  const [terminal, ...others] = testedBlocks("a.md", page, "terminal");
  assert.deepEqual([terminal!.run.name, terminal!.run.until, others], ["2", 'says "ready"', []]);
  assert.deepEqual(commandLines(terminal!), ["npm start"]);
  assert.equal(testedBlocks("a.md", page, "compose")[0]!.script, "docker compose up \\\n  --wait");
});

test("a mark that would be ignored silently is an error", () => {
  assert.throws(() => testedBlocks("a.md", "<!-- tested -->\ntext\n\n"), /1 tested marks, but 0/);
  const between = `<!-- tested -->\nwords\n${fence}sh\nls\n${fence}`;
  assert.throws(() => testedBlocks("a.md", between), /1 tested marks, but 0/);
  const typo = `<!-- tested exits=2 -->\n${fence}sh\nls\n${fence}`;
  assert.throws(() => testedBlocks("a.md", typo), /unknown option exits=2/);
});

test("pages without commands are distinguished from pages with some", () => {
  assert.equal(showsCommands(`text\n${fence}sh\nls\n${fence}`), true);
  assert.equal(showsCommands(`text\n${fence}json\n{}\n${fence}`), false);
});

test("relative links are found, others are not", () => {
  const page = [
    '[a](docs/a.md) ![b](b.png "t") [c](https://x.example/y) [d](#part) [e](e.md#part) `[f](f.md)`',
    "[ref]: g.md",
    `${fence}`,
    "[h](h.md)",
    fence,
  ].join("\n");
  assert.deepEqual(relativeLinks(page), ["docs/a.md", "b.png", "e.md", "g.md"]);
});

test("npm scripts are found in every form", () => {
  const page =
    "`npm run demo -- --json`, npm run --silent tail, npm test, npm -s start; npm ci; npm run-script x:y";
  assert.deepEqual(namedScripts(page).sort(), ["demo", "start", "tail", "test", "x:y"]);
});

test("paths are those in backticks below a folder of the project", () => {
  const page = `\`src/a.ts\`, \`docs/**/*.md\`, \`npm test -- test/a\`, \`other/b.ts\`, src/c.ts\n${fence}\n\`src/d.ts\`\n${fence}`;
  assert.deepEqual(namedPaths(page), ["src/a.ts", "docs/**/*.md"]);
});

test("a link to a heading names what the heading's text yields", () => {
  const page = "# More: `repartition`?\n[a](#more-repartition) [b](docs/B.md#two-words) [c](c.md)";
  assert.deepEqual(anchorsOf(page), ["more-repartition"]);
  assert.deepEqual(anchorLinks(page), [
    { page: "", anchor: "more-repartition" },
    { page: "docs/B.md", anchor: "two-words" },
  ]);
});
