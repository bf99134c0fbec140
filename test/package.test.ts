/** What `npm pack` would put into the package. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { programs } from "../scripts/build.ts";

const root = join(import.meta.dirname, "..");
const json = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));

test("the package holds bundled code, schemas and documents: no lab, no test, no source", () => {
  // Without scripts, so that nothing is built: dist may be absent.
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [{ files }] = JSON.parse(execFileSync("npm", pack, { cwd: root, encoding: "utf8" }));
  const paths: string[] = files.map(({ path }: { path: string }) => path);
  assert.ok(paths.includes("package.json") && paths.includes("README.md"));
  const strange = paths.filter(
    (path) =>
      !/^(?:dist\/(?:demo\/.*\.js|events\.(?:d\.ts|js)|THIRD_PARTY_LICENCES|sbom\.cdx\.json)|schemas\/.*\.json|docs\/.*\.(?:md|png|svg)|[A-Z]+(?:\.md)?|package\.json)$/.test(
        path,
      ),
  );
  assert.deepEqual(strange, []);
});

test("the package's program is one that the build makes", () => {
  const { bin } = json("package.json");
  const source = bin["connector-registrar"].replace(/^dist\/(.*)\.js$/, "$1.ts");
  assert.ok(Object.values(programs).includes(source), source);
});
