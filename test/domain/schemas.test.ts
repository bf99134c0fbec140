import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Parser } from "@asyncapi/parser";
import Schema from "typebox/schema";
import {
  documentedDetails,
  json,
  logRecord,
  sampleEvent,
  text,
  traceparent,
} from "../../lab/testkit/samples.ts";
import { schemaFiles, staleFiles } from "../../scripts/schemas.ts";
import { deadLetterRecord } from "../../src/domain/dead-letter.ts";
import { decode } from "../../src/domain/decode.ts";
import { identify } from "../../src/domain/identity.ts";
import { type Registration, registeredRecord } from "../../src/domain/registered.ts";

const root = join(import.meta.dirname, "..", "..");
const directory = join(root, "schemas");
const script = join(root, "scripts", "schemas.ts");

function published(file: string) {
  return Schema.Compile(JSON.parse(readFileSync(join(directory, file), "utf8")));
}

test("the checked-in schemas are what the definitions say (if not: npx node scripts/schemas.ts)", () => {
  assert.deepEqual(staleFiles(directory), []);
});

test("given a missing and an edited file, both are named stale", () => {
  const copy = mkdtempSync(join(tmpdir(), "schemas-"));
  try {
    const [missing, edited, ...rest] = [...schemaFiles()] as [[string, string], [string, string]];
    writeFileSync(join(copy, edited[0]), edited[1].replace("string", "number"));
    for (const [name, content] of rest as [string, string][]) writeFileSync(join(copy, name), content);
    assert.deepEqual(staleFiles(copy), [missing[0], edited[0]]);
  } finally {
    rmSync(copy, { recursive: true });
  }
});

test("the script's exit codes: 0 when current, 2 for an unknown argument, which it names", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  assert.equal(run("--check").status, 0);
  const { status, stderr } = run("--chekc");
  assert.equal(status, 2);
  assert.match(stderr, /--chekc.*scripts\/schemas\.ts \[--check\]/);
});

test("the AsyncAPI document is valid and its references lead to the schemas", async () => {
  const file = join(directory, "asyncapi.json");
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"), { source: file });
  const isProblem = ({ severity, code }: { severity: number; code: string | number }) =>
    severity <= 1 && code !== "asyncapi-latest-version";
  assert.deepEqual(diagnostics.filter(isProblem), []);
  assert.deepEqual(
    document
      ?.channels()
      .all()
      .map((channel) => channel.address()),
    ["connector.enrolled", "connector.enrolled.retry", "connector.registered", "connector.enrolled.dlq"],
  );
  const schemaOf = (name: string) =>
    (document?.components().messages().get(name)?.payload()?.json() as { $id?: string } | undefined)?.$id;
  assert.deepEqual(["enrolled", "registered"].map(schemaOf), [
    "connector.enrolled.schema.json",
    "connector.registered.schema.json",
  ]);
});

function registration(event: object, changes: Partial<Registration> = {}): Registration {
  const decoded = decode({ value: json(event), headers: [] }, () => true);
  assert.ok(decoded.ok);
  const { tenantId, details } = decoded.enrollment;
  return {
    enrollment: decoded.enrollment,
    idempotencyKey: identify(tenantId, details)?.idempotencyKey ?? "",
    object: { id: "104d7361-7361-104d-6173-4d1061734d10", ...details },
    outcome: "created",
    attempts: 1,
    graph: { requestId: "x", status: 201, cloud: "global" },
    source: { topic: "enrolled", partition: 0, offset: 0 },
    enrolledAt: 0,
    registeredAt: 0,
    ...changes,
  };
}

const registrations: readonly (readonly [given: string, registration: Registration])[] = [
  ["a plain one", registration(sampleEvent)],
  ["one with a trace context", registration({ ...sampleEvent, traceparent })],
  [
    "a recovered one without answer or timestamp",
    registration(sampleEvent, {
      outcome: "recovered",
      attempts: 0,
      graph: { requestId: null, status: null, cloud: "china" },
      enrolledAt: -1,
    }),
  ],
  [
    "one whose strings Graph changed",
    registration(sampleEvent, {
      object: { ...documentedDetails, id: "x", machineName: "", lastCheckinDateTime: "" },
    }),
  ],
];
for (const [given, from] of registrations) {
  test(`given ${given}, the record satisfies connector.registered.schema.json`, () => {
    const value = JSON.parse(text(registeredRecord(0, from).value));
    const schema = published("connector.registered.schema.json");
    assert.deepEqual(schema.Errors(value), [true, []]);
    const { idempotencyKey: _, ...data } = value.data;
    assert.equal(schema.Check({ ...value, data }), false);
  });
}

test("a dead letter's header satisfies dead-letter.schema.json", () => {
  const decoded = decode({ value: json({}), headers: [] }, () => true);
  assert.equal(decoded.ok, false);
  if (decoded.ok) return;
  const at = { topic: "retry", partition: 1, offset: 2 } as const;
  const reason = { refusal: decoded.refusal, attempts: 0, at, timeMs: 0, requestId: null };
  const value = JSON.parse(text(deadLetterRecord(0, logRecord(), reason).headers.at(-1)?.[1]));
  const schema = published("dead-letter.schema.json");
  assert.deepEqual(schema.Errors(value), [true, []]);
  assert.equal(schema.Check({ ...value, code: "" }), false);
});

test("the documented example satisfies connector.enrolled.schema.json, and not without its offset", () => {
  const schema = published("connector.enrolled.schema.json");
  assert.deepEqual(schema.Errors({ ...sampleEvent, unknown: 1 }), [true, []]);
  const data = { ...documentedDetails, enrollmentDateTime: "2016-12-31T23:57:59.3726057" };
  assert.equal(schema.Check({ ...sampleEvent, data }), false);
});
