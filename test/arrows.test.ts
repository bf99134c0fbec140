/**
 * The rules of .dependency-cruiser.cjs can fail, each on a line that breaks it, and let pass what comes close. That the
 * tree itself keeps them is a part of `npm run lint`.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { cruise, type IConfiguration, type ICruiseResult } from "dependency-cruiser";

const root = join(import.meta.dirname, "..");
const config: IConfiguration = createRequire(import.meta.url)("../.dependency-cruiser.cjs");

/** Each in a file of its own: the folder, the line, and the rule that it breaks. */
const refused: readonly (readonly [folder: string, line: string, rule: string])[] = [
  ["src/domain", `import { x } from "../registrar/there.ts";`, "src/domain: values"],
  ["src/domain", `import { x } from "../ports.ts";`, "src/domain: values"],
  ["src/domain", `import { x, type T } from "../ports.ts";`, "src/domain: values"],
  ["src/domain", `import fs from "node:fs";`, "src/domain: node"],
  ["src/domain", `import type { KafkaConfig } from "kafkajs";`, "src/domain: packages"],
  ["src/domain", `export * from "../registrar/there.ts";`, "src/domain: values"],
  ["src/domain", `const x = await import("../log/kafka/there.ts");`, "src/domain: values"],
  ["src/domain", `import type { T } from "../policy/there.ts";`, "src/domain: types"],
  ["src/domain/deep", `import { x } from "../../../test/there.ts";`, "src/domain: values"],
  ["src/domain/deep", `import type { T } from "../../../lab/there.ts";`, "src/domain: types"],
  ["src/registrar", `import "node:crypto";`, "src/registrar: node"],
  ["src/registrar", `import { x } from "../log/embedded/there.ts";`, "src/registrar: values"],
  [
    "src/registrar/intake",
    `import type { T } from "../ledger/there.ts";`,
    "registrar/intake: knows only what comes before it",
  ],
  [
    "src/registrar/intake",
    `import type { T } from "../settings.ts";`,
    "registrar/intake: knows only what comes before it",
  ],
  [
    "src/registrar/ledger",
    `import type { T } from "../ownership/there.ts";`,
    "registrar/ledger: knows only what comes before it",
  ],
  [
    "src/registrar/ownership",
    `import type { T } from "../flow/there.ts";`,
    "registrar/ownership: knows only what comes before it",
  ],
  [
    "src/registrar/flow",
    `import type { T } from "../status.ts";`,
    "registrar/flow: knows only what comes before it",
  ],
  ["src/log/kafka", `import { x } from "../embedded/there.ts";`, "src/log/kafka: values"],
  [
    "src/log/kafka",
    `import RequestQueue from "kafkajs/src/network/requestQueue/index.js";`,
    "kafkajs: one file knows its private parts",
  ],
  [
    "src/log/kafka",
    `import type { Cluster } from "kafkajs/src/cluster";`,
    "kafkajs: one file knows its private parts",
  ],
  ["lab/chaos", `import "kafkajs/src/index.js";`, "kafkajs: one file knows its private parts"],
  ["src/graph", `import "commander";`, "src/graph: packages"],
  [
    "src/graph",
    `import type { TokenCredential } from "@azure/identity";`,
    "@azure/identity: only in graph/credentials",
  ],
  ["src/graph", `const forge = await import("node-forge");`, "node-forge: only in graph/credentials"],
  ["src/server", `import { jwtVerify } from "jose";`, "jose: only in server/auth"],
  ["src/server", `import { DatabaseSync } from "node:sqlite";`, "node:sqlite: only in index, log/embedded"],
  ["src/cli", `import { DatabaseSync } from "node:sqlite";`, "node:sqlite: only in index, log/embedded"],
  ["src/cli", `import http from "node:http";`, "node:http: only in observe/traces, server"],
  ["src/observe", `import type { Socket } from "node:net";`, "node:net: only in graph, log/kafka, server"],
  ["src/compose", `import { connect } from "node:tls";`, "node:tls: only in graph, log/kafka, server"],
  ["src/cli", `import type { KafkaConfig } from "kafkajs";`, "src/cli: packages"],
  ["src/cli", `import type pino from "pino";`, "src/cli: packages"],
  ["src/cli/deep", `import fastify from "fastify";`, "src/cli: packages"],
  ["src/compose", `import type pino from "pino";`, "src/compose: packages"],
  ["src/compose", `import { Client } from "@microsoft/microsoft-graph-client";`, "src/compose: packages"],
  ["src/log/embedded", `import { Kafka } from "kafkajs";`, "src/log/embedded: packages"],
  ["src/server", `import { Agent } from "undici";`, "src/server: packages"],
  ["src/cli", `import { x } from "../../emulator/there.ts";`, "src/cli: values"],
  ["src/cli", `const x = await import("../../demo/there.ts");`, "src/cli: values"],
  ["src/elsewhere", `import { x } from "../domain/there.ts";`, "src: a folder without rules"],
  ["emulator", `import type { T } from "../src/ports.ts";`, "emulator: alone"],
  ["emulator", `import "kafkajs";`, "emulator: packages"],
  ["demo", `import { x } from "../lab/there.ts";`, "demo: src and emulator"],
  ["demo", `import "undici";`, "demo: packages"],
  ["src/cli", `import "fast-check";`, "src/cli: packages"],
  ["lab/chaos", `import { x } from "../../test/there.ts";`, "lab: no tests"],
  ["lab/simulation", `import { x } from "../../src/compose.ts";`, "simulation: the core alone"],
  ["scripts", `import { x } from "../lab/there.ts";`, "scripts: src alone"],
  ["test", `import { x } from "./nowhere.ts";`, "missing"],
];
const allowed: readonly (readonly [folder: string, line: string])[] = [
  ["src/domain", `import type { T } from "../ports.ts";`],
  ["src/domain", `import { type T } from "../ports.ts";`],
  ["src/domain", `import { createHash } from "node:crypto";`],
  ["src/domain", `import { Compile } from "typebox/compile";`],
  ["src/domain", `// import { x } from "kafkajs";`],
  ["src/domain/deep", `import { x } from "../there.ts";`],
  ["src/registrar", `import { x } from "../domain/there.ts";`],
  ["src/registrar/ledger", `import { x } from "../intake/there.ts";`],
  ["src/registrar/ownership", `import { x } from "../ledger/there.ts";`],
  ["src/registrar/flow", `import { x } from "../ownership/there.ts";`],
  ["src/registrar/flow", `import type { T } from "../settings.ts";`],
  ["src/log/kafka", `import { Kafka, type KafkaConfig } from "kafkajs";`],
  ["src/log/embedded", `import { DatabaseSync } from "node:sqlite";`],
  ["src/graph/credentials", `import type { TokenCredential } from "@azure/identity";`],
  ["src/server/auth", `import { jwtVerify } from "jose";`],
  ["src/cli", `import "node:fs/promises";`],
  ["src/cli", `import type { T } from "../registrar/there.ts";`],
  ["emulator", `import "selfsigned";`],
  ["demo", `import { x } from "../emulator/there.ts";`],
  ["lab/chaos", `import { x } from "../../demo/there.ts";`],
  ["test", `import { x } from "../lab/there.ts";`],
];
/** By file. */
const others: Readonly<Record<string, string>> = {
  "src/ports.ts": "export const x = 1; export type T = 1;",
  "src/compose.ts": "export const x = 1;",
  "src/registrar/settings.ts": "export type T = 1;",
  "src/registrar/status.ts": "export type T = 1;",
  "src/log/kafka/cluster/kafkajs-internals.ts": `import "kafkajs/src/network/requestQueue/index.js";`,
  "lab/simulation/check-x.ts": `import { x } from "../../src/domain/there.ts"; export { x };`,
  "src/policy/a.ts": `import type { B } from "./b.ts"; export type A = B;`,
  "src/policy/b.ts": `import { type A } from "./a.ts"; export type B = A;`,
};
const rooms = [
  ...[
    "src/domain",
    "src/policy",
    "src/registrar",
    "src/registrar/intake",
    "src/registrar/ledger",
    "src/registrar/ownership",
    "src/registrar/flow",
    "src/log/kafka",
  ],
  ...["src/log/embedded", "emulator", "demo", "lab", "test"],
];

suite("the rules for imports", () => {
  let tree = "";
  const broken = new Map<string, Set<string>>();
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), `${text}\n`);
  };

  // Not in the suite's body, which runs without its hooks where a name filter leaves all of it out.
  before(async () => {
    tree = mkdtempSync(join(tmpdir(), "arrows-"));
    for (const name of ["package.json", "tsconfig.json"]) write(name, readFileSync(join(root, name), "utf8"));
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
    for (const room of rooms) write(`${room}/there.ts`, "export const x = 1; export type T = 1;");
    for (const [path, text] of Object.entries(others)) write(path, text);
    for (const [index, [folder, line]] of refused.entries()) write(`${folder}/refused-${index}.ts`, line);
    for (const [index, [folder, line]] of allowed.entries()) write(`${folder}/allowed-${index}.ts`, line);
    const ruleSet = { forbidden: config.forbidden ?? [] };
    const options = { ...config.options, ruleSet, validate: true, baseDir: tree };
    const { output } = await cruise(["src", "emulator", "demo", "lab", "scripts", "test"], options);
    for (const { from, rule } of (output as ICruiseResult).summary.violations)
      broken.set(from, (broken.get(from) ?? new Set()).add(rule.name));
  });

  after(() => rmSync(tree, { recursive: true, force: true }));

  for (const [index, [folder, line, rule]] of refused.entries()) {
    test(`refused in ${folder}: ${line}`, () =>
      assert.equal([...(broken.get(`${folder}/refused-${index}.ts`) ?? [])].sort().join(", "), rule));
  }

  for (const [index, [folder, line]] of allowed.entries()) {
    test(`allowed in ${folder}: ${line}`, () =>
      assert.deepEqual([...(broken.get(`${folder}/allowed-${index}.ts`) ?? [])], []));
  }

  test("types that two files take from each other are a circle", () => {
    assert.deepEqual([...(broken.get("src/policy/a.ts") ?? [])], ["circle"]);
  });

  test("kafkajs-internals.ts alone may import from below kafkajs", () => {
    assert.equal(broken.get("src/log/kafka/cluster/kafkajs-internals.ts"), undefined);
  });

  test("the simulation's checker takes types and values of ports alone", () => {
    const rule = "simulation: its checker shares no code with the core";
    assert.ok(broken.get("lab/simulation/check-x.ts")?.has(rule));
  });
});
