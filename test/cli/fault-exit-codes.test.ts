/** Every fault that `start` can end with has its exit code, by one table, which the page of operators has too. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { faultExitCode, faultExitCodes } from "../../src/cli/fault-exit-codes.ts";

const root = join(import.meta.dirname, "../..");
const sources = [
  "src/registrar/{fault,ownership/take-over}.ts",
  "src/{log,server}/**/*.ts",
  "src/{compose,compose/tenants}.ts",
  "src/graph/access.ts",
];
/** They are logged, and the worker continues. */
const warnings = [
  "group-new",
  "groups-unseen",
  "instance-id-untried",
  "rights-missing",
  "topic-in-sync",
  "topic-replicas",
  "topic-retention",
  "topic-settings-unseen",
  "topic-unclean-election",
];

function codesInSources(): Set<string> {
  // Pages for people end nothing.
  const isPage = (file: string) => file.includes("/console/");
  const files = sources
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((file) => !isPage(file));
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/\bcode: "([a-z-]+)"/g)].map((match) => match[1]!)),
  );
}

test("each fault and problem of the log, of Graph's settings and of the ports has an exit code, and no other has", () => {
  const found = codesInSources();
  for (const warning of warnings) assert.ok(found.delete(warning), `${warning} is no warning any more`);
  assert.deepEqual([...faultExitCodes.keys()].sort(), [...found].sort());
});

test("docs/OPERATING.md lists the same codes under the same exit codes", () => {
  const page = readFileSync(join(root, "docs/OPERATING.md"), "utf8");
  const rows = [...page.matchAll(/^\| ([12]) \|.*\|$/gm)];
  const listed = rows.flatMap(([row, exitCode]) =>
    [...row.matchAll(/`([a-z-]+)`/g)].map((match) => [match[1]!, Number(exitCode)] as const),
  );
  assert.deepEqual(listed.sort(), [...faultExitCodes].sort());
});

test("what was found in the work is 1, what a setting or the set-up must cure is 2, an unknown code is 1", () => {
  for (const code of ["retention-gap", "ledger-lost", "batch-unreadable", "topic-deleted", "membership-lost"])
    assert.equal(faultExitCode({ code }), 1, code);
  for (const code of ["topic-partitions", "topics-missing", "membership-refused", "kafka-login", "ca-file"])
    assert.equal(faultExitCode({ code }), 2, code);
  assert.equal(faultExitCode({ code: "not-in-the-table" }), 1);
});
