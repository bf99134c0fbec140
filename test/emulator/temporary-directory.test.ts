/** What a temporary CA leaves on the disk, also where its process was killed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeTemporaryDirectory } from "../../emulator/temporary-directory.ts";
import { makeCertificates } from "../../emulator/tls.ts";
import { temporaryDirectory } from "../cli/run-cli.ts";

function ownTemporaryFiles(t: TestContext): string {
  const parent = temporaryDirectory(t);
  const { TMPDIR: usual } = process.env;
  process.env.TMPDIR = parent;
  t.after(() => {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
  });
  return parent;
}

test("the directory of a process that was killed is removed by the next emulator; those of others stay", async (t) => {
  const parent = ownTemporaryFiles(t);
  const { pid: gone } = spawnSync("true");
  const stay = [
    `graph-emulator-${hostname()}-${process.pid}-a1B2c3`,
    `graph-emulator-other-${hostname()}-${gone}-a1B2c3`,
    `graph-emulator-${hostname()}-${gone}.kept-by-a-user`,
  ];
  const killed = `graph-emulator-${hostname()}-${gone}-a1B2c3`;
  for (const name of [...stay, killed]) mkdirSync(join(parent, name));
  writeFileSync(join(parent, killed, "ca.pem"), "");
  const made = await makeTemporaryDirectory();
  assert.equal(dirname(made), parent);
  assert.match(basename(made), new RegExp(`^graph-emulator-${hostname()}-${process.pid}-\\w+$`));
  assert.deepEqual(readdirSync(parent).sort(), [...stay, basename(made)].sort());
});

test("a temporary CA keeps no key on the disk, and is removed", async (t) => {
  const parent = ownTemporaryFiles(t);
  const certificates = await makeCertificates(null, [], Date.now());
  assert.deepEqual(readdirSync(dirname(certificates.caFile)), ["ca.pem"]);
  await certificates.remove();
  assert.deepEqual(readdirSync(parent), []);
});
