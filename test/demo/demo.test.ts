import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { jsonLines, runCli, startCli, temporaryDirectory } from "../cli/run-cli.ts";

interface Line {
  readonly partition: number;
  readonly offset: number;
  readonly key?: string | null;
  readonly headers: Record<string, string>;
  readonly value?: string | null;
  readonly valueBase64?: string;
}

/** The files that `--out` wrote, counted with nothing of the project's own code. */
function countFiles(directory: string) {
  const read = (name: string) => jsonLines(readFileSync(join(directory, name), "utf8")) as unknown as Line[];
  const graph: Record<string, { id: string; connectorName: string }[]> = JSON.parse(
    readFileSync(join(directory, "graph.json"), "utf8"),
  );
  const enrolled = read("enrolled.jsonl");
  const registered = read("registered.jsonl").map(({ value }) => JSON.parse(value!));
  const dlq = read("dlq.jsonl").map((line) => ({ line, reason: JSON.parse(line.headers["dead-letter"]!) }));
  return { enrolled, registered, dlq, graph };
}

test("demo --json --out: the summary is what the files hold", async (t) => {
  const out = temporaryDirectory(t);
  const { code, stdout, stderr } = await runCli([
    "demo",
    "--events",
    "60",
    "--faults",
    "flaky",
    "--seed",
    "5",
    "--json",
    "--out",
    out,
  ]);
  assert.equal(code, 0, stdout + stderr);
  const summary = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
  const { enrolled, registered, dlq, graph } = countFiles(out);
  const objects = Object.entries(graph).flatMap(([tenantId, some]) =>
    some.map(({ id }) => `${tenantId} ${id}`),
  );
  assert.deepEqual(
    { ...summary, elapsedMs: 0 },
    {
      events: 60,
      emitted: enrolled.length,
      registered: 60,
      recovered: registered.filter(({ data }) => data.outcome === "recovered").length,
      duplicatesIgnored: 6,
      deadLettered: dlq.length,
      graphObjects: 60,
      duplicateObjects: 0,
      lost: 0,
      elapsedMs: 0,
      faults: "flaky",
      seed: 5,
      log: "the embedded log",
      problems: [],
    },
  );
  assert.equal(enrolled.length, 60 + 6 + dlq.length);
  assert.equal(new Set(registered.map(({ id }) => id)).size, 60);
  assert.deepEqual(new Set(registered.map(({ data }) => `${data.tenantId} ${data.id}`)), new Set(objects));
  assert.equal(objects.length, 60);
  const original = new Map(enrolled.map((line) => [`${line.partition}/${line.offset}`, line]));
  for (const { line, reason } of dlq) {
    const { partition, offset } = reason.source;
    const source = original.get(`${partition}/${offset}`)!;
    const { "dead-letter": _, ...headers } = line.headers;
    assert.deepEqual(
      [line.key, line.value, line.valueBase64, headers],
      [source.key, source.value, source.valueBase64, source.headers],
    );
  }
  assert.ok(new Set(dlq.map(({ reason }) => reason.code)).size >= 12);
  assert.ok(enrolled.some((line) => "valueBase64" in line));
  assert.match(stderr, /What went into connector\.enrolled/);
});

test("without --json, progress in plain lines and the table are on standard output", async () => {
  const { code, stdout, stderr } = await runCli(["demo", "--events", "10", "--faults", "none"]);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  assert.match(stdout, /^100 % {2}36 of 36 settled: 10 registered, 1 duplicates, 25 dead letters/m);
  assert.match(stdout, /^Every enrollment was registered exactly once/m);
  assert.ok(!stdout.includes("\u001b"));
});

// Far more than any machine can do in the limit.
test("a limit that is too short: what is missing is counted, exit 1", async () => {
  const { code, stdout } = await runCli([
    "demo",
    "--events",
    "30000",
    "--faults",
    "none",
    "--timeout",
    "1",
    "--json",
  ]);
  assert.equal(code, 1);
  const summary = JSON.parse(stdout);
  assert.ok(summary.lost > 0, stdout);
  assert.ok(summary.problems.length > 0);
});

test("interrupted: exit 130", async () => {
  const demo = startCli(["demo", "--events", "5000", "--faults", "none"]);
  await demo.line(/settled/);
  demo.child.kill("SIGINT");
  assert.equal((await demo.ended).code, 130);
});

test("--out that can't be written: exit 2, after the result was printed", async (t) => {
  const out = join(temporaryDirectory(t), "file");
  writeFileSync(out, "");
  const { code, stdout, stderr } = await runCli(["demo", "--events", "1", "--faults", "none", "--out", out]);
  assert.equal(code, 2);
  assert.match(stdout, /registered exactly once/);
  assert.match(stderr, /--out .*file can't be written: EEXIST/);
});
