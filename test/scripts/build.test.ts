import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..", "..");
const build = (...options: string[]) =>
  spawnSync(process.execPath, [join(root, "scripts/build.ts"), ...options], { cwd: root, encoding: "utf8" });

test("a built program runs where no package is installed, and holds no other program", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "connector-registrar-build-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const outdir = join(folder, "dist");
  assert.equal(build("--only", "product", "--outdir", outdir).status, 0);
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  assert.deepEqual(readdirSync(outdir).sort(), ["THIRD_PARTY_LICENCES", "sbom.cdx.json", "src"]);
  const doctor = spawnSync(process.execPath, [join(outdir, "src/cli/main.js"), "doctor"], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "" },
    encoding: "utf8",
  });
  assert.equal(doctor.status, 2, doctor.stderr);
  assert.match(doctor.stderr, /type: export AZURE_CLIENT_ID=/);
  const text = readdirSync(join(outdir, "src/chunks"))
    .map((file) => readFileSync(join(outdir, "src/chunks", file), "utf8"))
    .join("\n");
  assert.match(text, /^\/\/ src\/registrar\/registrar\.ts$/m);
  assert.doesNotMatch(text, /^\/\/ (emulator|lab|test)\//m);
});

test("the licences of the packages inside stand beside a program, each with its text", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "connector-registrar-build-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  assert.equal(build("--only", "emulator", "--outdir", folder).status, 0);
  const texts = readFileSync(join(folder, "THIRD_PARTY_LICENCES"), "utf8").split(/^-{78}$/m);
  assert.match(texts.join(""), /^typebox [\d.]+ \(MIT\)$/m);
  const bare = texts.filter((text) => text.trim().split("\n").length < 5).map((text) => text.trim());
  assert.deepEqual(bare, []);
});

test("the bill of materials names what is inside, and the same sources give the same files", (t) => {
  const folders = ["once", "twice"].map((name) => {
    const folder = mkdtempSync(join(tmpdir(), `connector-registrar-build-${name}-`));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    assert.equal(build("--only", "emulator", "--outdir", folder).status, 0);
    return folder;
  });
  const filesOf = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => [
        join(parentPath, name).slice(folder.length),
        readFileSync(join(parentPath, name), "utf8"),
      ]);
  assert.deepEqual(filesOf(folders[0]!), filesOf(folders[1]!));
  const bill = JSON.parse(readFileSync(join(folders[0]!, "sbom.cdx.json"), "utf8"));
  const urls: string[] = bill.components.map(({ purl }: { purl: string }) => purl);
  assert.ok(urls.some((url) => url.startsWith("pkg:npm/typebox@")));
  assert.ok(!urls.some((url) => /kafkajs|azure|esbuild/.test(url)));
  assert.equal(new Set(urls).size, urls.length);
});

test("an unknown program is an error that names those there are", () => {
  const { status, stderr } = build("--only", "everything");
  assert.equal(status, 2);
  assert.match(stderr, /No program everything\. Type one of: product, emulator, package/);
});
