/** The package as a user gets it: packed, installed in an empty folder, its program run and its events imported. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = join(import.meta.dirname, "..");
const packageMaxBytes = 2_500_000;

suite("the package, installed in an empty folder", { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "connector-registrar-package-"));
  const installed = join(folder, "node_modules", "connector-registrar");
  let tarball = "";
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

  before(
    () => {
      // In a copy: the build would replace a dist that another process uses.
      const copy = join(folder, "copy");
      for (const path of [
        "package.json",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "SECURITY.md",
        "tsconfig.json",
      ])
        cpSync(join(root, path), join(copy, path));
      for (const path of ["src", "emulator", "demo", "scripts", "schemas", "docs"])
        cpSync(join(root, path), join(copy, path), { recursive: true });
      execFileSync("ln", ["-s", join(root, "node_modules"), join(copy, "node_modules")]);
      const build = ["scripts/build.ts", "--only", "package"];
      execFileSync(process.execPath, build, { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
      const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
      const [{ filename }] = JSON.parse(execFileSync("npm", pack, { cwd: copy, encoding: "utf8" }));
      tarball = join(folder, filename);
      writeFileSync(
        join(folder, "package.json"),
        '{ "name": "somebody", "private": true, "type": "module" }',
      );
      execFileSync("npm", ["install", "--no-audit", "--no-fund", "--offline", tarball], {
        cwd: folder,
        stdio: "pipe",
      });
    },
    { timeout: 200_000 },
  );

  test("it brings no other package, and is small", () => {
    const names = readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith("."));
    assert.deepEqual(names, ["connector-registrar"]);
    assert.ok(
      readFileSync(tarball).byteLength <= packageMaxBytes,
      `${readFileSync(tarball).byteLength} bytes`,
    );
  });

  test("its program does the demo", { timeout: 120_000 }, () => {
    const args = ["connector-registrar", "demo", "--events", "20", "--json"];
    const { status, stdout, stderr } = spawnSync("npx", args, {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: process.env.PATH ?? "", HOME: folder },
    });
    assert.equal(status, 0, stderr);
    const { registered, lost, duplicateObjects } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    assert.deepEqual([registered, lost, duplicateObjects], [20, 0, 0]);
  });

  test("its events are imported, and a schema", () => {
    const program = `
      import { parseRegistered } from "connector-registrar/events";
      import schema from "connector-registrar/schemas/connector.registered.schema.json" with { type: "json" };
      console.log(JSON.stringify([parseRegistered("{}"), schema.$id]));`;
    writeFileSync(join(folder, "use.js"), program);
    const { stdout, stderr } = spawnSync(process.execPath, ["use.js"], { cwd: folder, encoding: "utf8" });
    assert.deepEqual(JSON.parse(stdout || `"${stderr}"`), [
      { ok: false, reason: "/specversion is not 1.0" },
      "connector.registered.schema.json",
    ]);
  });

  for (const resolution of ["nodenext", "bundler"]) {
    test(`types are found by TypeScript's ${resolution} resolution, and a wrong use is refused`, () => {
      const sources = join(folder, resolution);
      mkdirSync(sources, { recursive: true });
      const use = (property: string) => `
        import { parseRegistered } from "connector-registrar/events";
        const parsed = parseRegistered(new Uint8Array());
        export const id: string = parsed.ok ? parsed.value.data.${property} : parsed.reason;`;
      writeFileSync(join(sources, "right.ts"), use("id"));
      writeFileSync(join(sources, "wrong.ts"), use("attempts"));
      const module = resolution === "bundler" ? "esnext" : "nodenext";
      const options = [
        "--ignoreConfig",
        "--noEmit",
        "--strict",
        "--module",
        module,
        "--moduleResolution",
        resolution,
      ];
      const tsc = join(root, "node_modules/.bin/tsc");
      const files = ["right.ts", "wrong.ts"].map((name) => join(sources, name));
      const { stdout } = spawnSync(tsc, [...options, "--pretty", "false", ...files], {
        cwd: folder,
        encoding: "utf8",
      });
      const errors = stdout.split("\n").filter((line) => line.includes(": error "));
      assert.ok(errors.length > 0 && errors.every((line) => line.includes("wrong.ts(")), stdout);
      assert.match(stdout, /Type 'number' is not assignable|not assignable to type 'string'/);
    });
  }

  test("publint finds nothing wrong", async () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    const { messages } = await publint({ pkgDir: installed, strict: true });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, manifest)),
      [],
    );
  });
});
