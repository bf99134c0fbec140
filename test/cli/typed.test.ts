/** The commands that messages show to the user of a clone. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { productProgram } from "../../src/cli/program.ts";
import { asTyped, commandNames } from "../../src/cli/typed.ts";
import { runCli } from "./run-cli.ts";

const inClone = { npm_package_name: "connector-registrar", npm_lifecycle_event: "emit" };

const lines: readonly (readonly [text: string, typed: string])[] = [
  ["Type: connector-registrar emit --help", "Type: npm run emit -- --help"],
  ["or: connector-registrar health <url>", "or: npm run health -- <url>"],
  ["type connector-registrar tenants list, to see", "type npm run tenants -- list, to see"],
  ["Type connector-registrar reconcile to look at them", "Type npm run reconcile to look at them"],
  ["connector-registrar: warning: x", "connector-registrar: warning: x"],
  ["group connector-registrar starts", "group connector-registrar starts"],
];

for (const [text, typed] of lines)
  test(`in a clone: ${text}`, () => {
    assert.equal(asTyped(text, inClone), typed);
    for (const other of [
      {},
      { ...inClone, npm_package_name: "mine" },
      { ...inClone, npm_lifecycle_event: "npx" },
    ])
      assert.equal(asTyped(text, other), text);
  });

test("every command of the product has a script, which installs first", () => {
  const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  const scripts = (JSON.parse(text) as { scripts: Record<string, string> }).scripts;
  assert.deepEqual([...commandNames].sort(), Object.keys(productProgram.commands).sort());
  for (const name of commandNames) {
    assert.match(scripts[name] ?? "", new RegExp(`^node .*src/cli/main\\.ts ${name}$`));
    assert.equal(scripts[`pre${name}`], "node scripts/ensure-install.mjs");
  }
});

test("by npm run, help, usage errors and advice name the script", async () => {
  const wrong = await runCli(["emit", "--machne", "x"], inClone);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^Type: npm run emit -- --help$/m);
  const missing = await runCli(["emit"], inClone);
  assert.match(missing.stderr, /Type for example: npm run emit -- --tenant /);
  const help = await runCli(["emit", "--help"], inClone);
  assert.match(help.stdout, /^Usage: npm run emit -- \[options\] \[file\]$/m);
  assert.match(help.stdout, /^ {2}npm run emit -- enrollments\.jsonl$/m);
});
