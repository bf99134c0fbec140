import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const entry = new URL("../../src/cli/main.ts", import.meta.url).href;

/** The entry, on a Node that says that it is `version`. */
function start(version: string) {
  const script = `Object.defineProperty(process.versions, "node", { value: ${JSON.stringify(version)} });
    process.argv.push("main", "--version");
    await import(${JSON.stringify(entry)});`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
}

test("an older Node is told in one line what is needed and what to type, exit 2", () => {
  for (const version of ["20.20.2", "22.23.3"]) {
    const { status, stdout, stderr } = start(version);
    assert.equal(status, 2, stderr);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      new RegExp(`^connector-registrar: this is Node.js ${version}, and it needs 24 or newer`),
    );
  }
});

test("Node 24 and later run it", () => {
  for (const version of ["24.0.0", "26.1.0"]) assert.equal(start(version).status, 0);
});
