import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "./run-cli.ts";

const root = join(import.meta.dirname, "..", "..");
const entry = new URL("../../src/cli/main.ts", import.meta.url).href;

/** The entry, on a Node that says that it is `version`. */
function start(version: string) {
  const script = `Object.defineProperty(process.versions, "node", { value: ${JSON.stringify(version)} });
    process.argv.push("main", "--version");
    await import(${JSON.stringify(entry)});`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
}

test("under an older Node one line says what is needed and what to type, exit 2", () => {
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

/** OLDER_NODE, else the first one on the PATH that is not this package's own. */
function findOlderNode(): { readonly path: string; readonly version: string } | null {
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "node"));
  for (const path of process.env.OLDER_NODE ? [process.env.OLDER_NODE] : onPath) {
    if (!existsSync(path)) continue;
    const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
    const major = Number(version.split(".")[0]);
    if (major >= 18 && major < 24) return { path, version };
  }
  return null;
}

/** What the entry imports before it asks for anything else, as the build makes it. */
function build(t: TestContext): string {
  const directory = temporaryDirectory(t);
  const pending = ["cli/main.ts"];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const code = stripTypeScriptTypes(readFileSync(join(root, "src", path), "utf8"));
    for (const [, name] of code.matchAll(/^(?:import|export)\b[^"]*"(\.[^"]+)"/gm))
      pending.push(join(path, "..", name!));
    const built = join(directory, path.replace(/ts$/, "js"));
    mkdirSync(join(built, ".."), { recursive: true });
    writeFileSync(built, code.replaceAll(/\.ts"/g, '.js"'));
  }
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
  return join(directory, "cli", "main.js");
}

const older = findOlderNode();
const skip = older === null && "no Node 18 to 23 on the PATH; OLDER_NODE=<path of one> names it";

test("a real older Node gets so far in the built program: nothing before the check needs a newer one", {
  skip,
}, (t) => {
  const { status, stdout, stderr } = spawnSync(older!.path, [build(t), "start"], { encoding: "utf8" });
  assert.equal(status, 2, stderr);
  assert.equal(stdout, "");
  const line = `connector-registrar: this is Node.js ${older!.version}, and it needs 24 or newer.`;
  assert.equal(stderr.split("\n")[0], line);
});
