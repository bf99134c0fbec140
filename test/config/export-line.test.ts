import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { exportLine } from "../../src/config/export-line.ts";
import { type Setting, settingNames, table } from "../../src/config/table.ts";

/** What a shell has in the variable after the line. */
function pasted(variable: string, line: string): string {
  return execFileSync("sh", ["-c", `${line}\nprintf %s "$${variable}"`], { encoding: "utf8" });
}

test("the line of every setting's example works in a shell", () => {
  for (const name of settingNames) {
    const { variable, example }: Setting = table[name];
    assert.equal(pasted(variable, exportLine(variable, example)), example, variable);
  }
});

test("quotes and blanks of a value survive", () => {
  for (const value of ["it's", "a b", "$HOME", "`id`", "a;b", '"', "<x>"])
    assert.equal(pasted("X", exportLine("X", value)), value);
});

test("no GUID is offered that could be taken for the user's own", () => {
  for (const name of settingNames) {
    const { example }: Setting = table[name];
    assert.doesNotMatch(example, /[0-9a-f]{8}-[0-9a-f]{4}-/);
  }
});
