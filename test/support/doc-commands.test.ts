import assert from "node:assert/strict";
import { test } from "node:test";
import { namedScripts, relativeLinks, showsCommands, testedBlocks } from "./doc-commands.ts";

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
      exitCode: 2,
      contains: ["two words", "x"],
      needs: ["kafka"],
      timeoutMs: 5000,
    },
  ]);
});

test("a mark that would be passed over in silence is an error", () => {
  assert.throws(() => testedBlocks("a.md", "<!-- tested -->\ntext\n\n"), /1 tested marks, but 0/);
  const between = `<!-- tested -->\nwords\n${fence}sh\nls\n${fence}`;
  assert.throws(() => testedBlocks("a.md", between), /1 tested marks, but 0/);
  const typo = `<!-- tested exits=2 -->\n${fence}sh\nls\n${fence}`;
  assert.throws(() => testedBlocks("a.md", typo), /unknown option exits=2/);
});

test("pages without commands are told from pages with some", () => {
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
