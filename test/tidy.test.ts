/** The house rules, applied to the tree. The rules themselves, and proof that each can fail: test/support/tidy-rules*. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { longFunctionViolations } from "./support/function-rules.ts";
import * as rules from "./support/tidy-rules.ts";

const core = ["domain", "policy", "registrar"];

/** Where the machine's own clock, randomness and timers may be used, and why there. */
const ambientAllowed: Readonly<Record<string, string>> = {
  "src/clock.ts": "is the clock",
  "src/log/kafka/cluster/kafkajs-internals.ts": "dates requests inside kafkajs",
  "emulator/clock.ts": "is the emulator's clock",
  "lab/simulation/command.ts": "tells how long the seeds took",
  "src/cli/run-process.ts": "ends a process that hangs on exit",
  "src/cli/interrupts.ts": "cuts off a stop that hangs, without keeping a process that has ended",
};

/** Measuring, and brokers as processes of their own: these have no other clock. */
const realTime = /^lab\/(?:bench|testkit)\//;

/** Commands that talk to people outside cli. */
const consoleAllowed =
  /^(?:src\/cli\/|lab\/simulation\/command\.ts|lab\/bench\/(?:baselines\/|self-times\.ts)|lab\/testkit\/broker-main\.ts)/;

/** Core files that no test imports: the test file that covers them. */
const testedElsewhere: Readonly<Record<string, string>> = {
  "src/domain/cloud-event.ts": "test/domain/decode.test.ts",
  "src/domain/enrollment.ts": "test/domain/decode.test.ts",
  "src/domain/json-value.ts": "test/domain/decode-refused.test.ts",
  "src/domain/violations.ts": "test/domain/decode-refused.test.ts",
  // Parts of one worker, tested through it: each in the file that is named for it, where it has one.
  "src/registrar/ownership/committer.ts": "test/registrar/ownership/committer.test.ts",
  "src/registrar/flow/core.ts": "test/registrar/flow/pipeline.test.ts",
  "src/registrar/flow/effects.ts": "test/registrar/flow/pipeline.test.ts",
  "src/registrar/flow/outcomes.ts": "test/registrar/flow/outcomes.test.ts",
  "src/registrar/flow/read-rows.ts": "test/registrar/flow/transition.test.ts",
  "src/registrar/flow/refusals.ts": "test/registrar/flow/transition-rules.test.ts",
  "src/registrar/flow/step.ts": "test/registrar/flow/transition.test.ts",
  "src/registrar/flow/life-events.ts": "test/registrar/flow/transition.test.ts",
  "src/registrar/flow/read-back.ts": "test/registrar/flow/read-back.test.ts",
  "src/registrar/flow/read-list.ts": "test/registrar/flow/read-list.test.ts",
  "src/registrar/flow/exchange.ts": "test/registrar/flow/dispatcher.test.ts",
  "src/registrar/ledger/ledger-scan.ts": "test/registrar/ledger/ledger-reader-rules.test.ts",
  "src/registrar/ledger/ledger-store.ts": "test/registrar/ledger/ledger-reader.test.ts",
  "src/registrar/ownership/due-commits.ts": "test/registrar/ownership/committer-rules.test.ts",
  "src/registrar/ownership/gain.ts": "test/registrar/ownership/gain.test.ts",
  "src/registrar/flow/reader.ts": "test/registrar/flow/reader.test.ts",
  "src/registrar/ports.ts": "test/registrar/registrar.test.ts",
  "src/registrar/settings.ts": "test/registrar/registrar.test.ts",
  "src/registrar/ownership/suspects.ts": "test/registrar/ownership/suspects.test.ts",
};

const maxLines = 300;

/** Files about the inside of a container. */
const inContainer = /^(Dockerfile|docker-compose\.yml|\.ci\/stand-ins\/)/;

const root = join(import.meta.dirname, "..");
const binary = /\.(png|ico|gif|jpg|woff2?|gz|jar|der|p12|sqlite)$/;
const paths = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && !binary.test(path) && existsSync(join(root, path)));
const files = paths.map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const source = files.filter(({ path }) => /^(src|emulator|demo|lab)\/.*\.ts$/.test(path));
const typescript = files.filter(({ path }) => /^(src|emulator|demo|lab|test|scripts)\/.*\.ts$/.test(path));
const shipped = source.filter(({ path }) => !path.startsWith("lab/"));

function inCore(path: string): boolean {
  return path.startsWith("src/") && core.includes(rules.layerOf(path));
}

function holds(violations: readonly rules.Violation[]): void {
  assert.ok(violations.length === 0, violations.join("\n"));
}

test("the tree was read", () => {
  assert.ok(source.length > 20 && typescript.length > source.length && files.length > typescript.length);
});

// The arrows between folders are kept by dependency-cruiser: see .dependency-cruiser.cjs and arrows.test.ts.
test("what is shipped imports by literals, and does not look where its files lie", () => {
  assert.ok(shipped.length > 20);
  // A thread is started by the address of its own module, which is a file of its own in a bundle too.
  const thread = "src/compose/index-thread.ts";
  const found = shipped.flatMap((file) => rules.computedViolations(file));
  holds(found.filter((violation) => !violation.startsWith(thread)));
  assert.equal(found.filter((violation) => violation.startsWith(thread)).length, 1, "needed no more");
});

test("clocks, randomness, timers and the process reach the core through ports only", () => {
  holds(
    source
      .filter(({ path }) => ambientAllowed[path] === undefined && !realTime.test(path))
      .flatMap((file) => rules.ambientViolations(file, inCore(file.path) ? "pure" : "adapter")),
  );
});

test("every exception is still needed", () => {
  const unneeded = Object.keys(ambientAllowed).filter((path) => {
    const file = source.find((candidate) => candidate.path === path);
    return file === undefined || rules.ambientViolations(file, "adapter").length === 0;
  });
  assert.deepEqual(unneeded, []);
});

// In tests too, but there Biome sees to it, where a suppression has to give its reason.
test("no any", () => holds(source.flatMap((file) => rules.anyViolations(file))));

test("no default exports, no barrels", () => {
  holds(typescript.flatMap((file) => rules.exportViolations(file)));
});

test("nothing unfinished", () => {
  holds(files.flatMap((file) => (file.path === "package-lock.json" ? [] : rules.unfinishedViolations(file))));
});

test("console is for the command line", () => {
  holds(
    source.filter(({ path }) => !consoleAllowed.test(path)).flatMap((file) => rules.consoleViolations(file)),
  );
});

test("each source file says first what it is for", () => {
  holds(source.flatMap((file) => rules.headerViolations(file)));
});

test("files are short", () => {
  holds(typescript.flatMap((file) => rules.lengthViolations(file, maxLines)));
});

test("functions of the core are short", () => {
  holds(source.filter(({ path }) => inCore(path)).flatMap((file) => longFunctionViolations(file, 110)));
});

test("nothing names one machine or a registry", () => {
  holds(files.flatMap((file) => rules.foreignViolations(file, inContainer.test(file.path))));
});

test("each file of the core has its tests", () => {
  holds(rules.untestedViolations(files, core, testedElsewhere));
});

test("the invariants of docs/SEMANTICS.md are cited where they are kept and where they are tested, and no others", () => {
  const page = files.find(({ path }) => path === "docs/SEMANTICS.md")?.text ?? "";
  const listed = rules.listedInvariants(page);
  assert.ok(listed.length > 10);
  holds(rules.invariantViolations(files, listed));
});

test("each npm script installs first what it needs", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const names = Object.keys(scripts).filter((name) => !(name.startsWith("pre") && name.slice(3) in scripts));
  // npm runs this one by itself; it runs build, which installs.
  assert.equal(scripts.prepack, "npm run build -- --only package");
  const bare = names
    .filter((name) => name !== "prepack")
    .filter((name) => scripts[`pre${name}`] !== "node scripts/ensure-install.mjs");
  assert.ok(names.includes("demo") && names.includes("test"));
  assert.deepEqual(bare, []);
});
