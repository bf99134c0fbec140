/** docs/GLOSSARY.md says what the code says, and the words that it replaced do not come back. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { glossaryViolations, readGlossary, retiredViolations } from "./support/glossary.ts";

const root = join(import.meta.dirname, "..");
const rooms = "{demo,docs,emulator,lab,scripts,src}/**/*.{md,mjs,sh,ts,yml}";
const files = globSync(["*.md", rooms], { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), "utf8"),
}));

test("each term of the glossary has a sentence, and a name that its file declares", () => {
  const terms = readGlossary(readFileSync(join(root, "docs", "GLOSSARY.md"), "utf8"));
  assert.ok(terms.length > 50, `${terms.length} terms`);
  assert.deepEqual(glossaryViolations(terms, files), []);
});

test("words that were replaced do not come back", () => {
  assert.ok(files.length > 400, `${files.length} files`);
  assert.deepEqual(
    files.flatMap((file) => retiredViolations(file)),
    [],
  );
});

test("a glossary that is wrong is found out", () => {
  const head = "| term | meaning | in code | defined in |\n|---|---|---|---|\n";
  const source = [{ path: "src/ports.ts", text: "export interface Clock { nowMs(): number }" }];
  const check = (...rows: string[]) => glossaryViolations(readGlossary(`${head}${rows.join("\n")}`), source);
  assert.deepEqual(check("| clock | Says what time it is. | `Clock` | `ports.ts` |"), []);
  assert.deepEqual(check("| clock | Says it. | `Cloc` | `ports.ts` |"), ["clock: src/ports.ts has no Cloc"]);
  assert.deepEqual(check("| clock | Says it. | `Clock` | `lab/a.ts` |"), ["clock: there is no lab/a.ts"]);
  for (const meaning of ["time", "Says it. Twice."])
    assert.deepEqual(check(`| clock | ${meaning} | \`Clock\` | \`ports.ts\` |`), [
      "clock: its meaning is not one sentence",
    ]);
  const clock = "| clock | Says it. | `Clock` | `ports.ts` |";
  assert.deepEqual(check(clock, clock), ["clock: belongs before clock"]);
  assert.throws(() => check("| clock | Says it. | Clock | `ports.ts` |"), /not term, meaning/);
});

test("a word that comes back is found out, where it is a word", () => {
  const found = (text: string) => retiredViolations({ path: "a.md", text });
  assert.deepEqual(found("one\nit pokes the pump"), ["a.md:2: wake instead of pokes"]);
  for (const word of [
    "urged",
    "distrustful",
    "the dice",
    "logWeather",
    ["be", "falls"].join(""),
    "openLogPatiently",
    "line-up",
  ])
    assert.equal(found(word).length, 1, word);
  assert.deepEqual(found("spoke urgent purge bespoke indices before mark() a line up to here"), []);
});
