import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { contoso, fabrikam } from "../../lab/testkit/enrollments.ts";
import { bytes } from "../../lab/testkit/samples.ts";
import { systemClock } from "../../src/clock.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { encodeHeaders, recordChecksum } from "../../src/log/embedded/record-bytes.ts";
import type { LogRecord, NewRecord } from "../../src/ports.ts";
import { event, refused, registered, startMs } from "../index/topics.ts";
import { type Ended, jsonLines, runCli, startCli, temporaryDirectory } from "./run-cli.ts";

async function append(DATA_DIR: string, ...records: NewRecord[]): Promise<void> {
  const opening = await openEmbeddedLog({ dataDir: DATA_DIR, partitionCount: 2 }, systemClock);
  assert.ok(opening.ok);
  assert.deepEqual(await opening.log.append(records), { ok: true });
  await opening.log.close();
}

/** Puts another record in the place of one, as no user can. */
async function replaceRegistered(DATA_DIR: string, offset: number, record: NewRecord): Promise<void> {
  const db = new DatabaseSync(join(DATA_DIR, "log.db"));
  const { timestamp_ms: timestampMs } = db
    .prepare("SELECT timestamp_ms FROM registered_0 WHERE offset = ?")
    .get(offset) as { timestamp_ms: number };
  const [key, value, headers] = [record.key, record.value, encodeHeaders(record.headers)];
  const sum = recordChecksum(
    { topic: "registered", partition: 0, offset, timestampMs },
    { key, value, headers },
  );
  db.prepare("UPDATE registered_0 SET key = ?, value = ?, checksum = ? WHERE offset = ?").run(
    key,
    value,
    sum,
    offset,
  );
  db.close();
}

const stored = (record: NewRecord, offset: number): LogRecord => ({
  ...record,
  offset,
  timestampMs: startMs,
  leaderEpoch: -1,
});

/** Contoso: one created, one recovered after a dead letter, one refused, one waiting, one unreadable. Fabrikam: one created. */
async function filled(t: { after(end: () => void): void }): Promise<string> {
  const DATA_DIR = temporaryDirectory(t);
  const [a, b, c] = ["A", "=cmd|' /C calc'!A0", "C"].map((machine) => event({ machine }));
  const unreadable = { ...event({}), value: bytes("no JSON") };
  await append(
    DATA_DIR,
    ...[a!, b!, c!, event({ machine: "D" }), unreadable],
    refused(stored(b!, 1), "tenant-blocked", startMs + 10),
    refused(stored(c!, 2), "graph-400", startMs + 20),
    refused(stored(unreadable, 4), "value-not-json", startMs + 30),
    registered({ machine: "A", registeredAt: startMs + 1000 }),
    registered({
      machine: "=cmd|' /C calc'!A0",
      registeredAt: startMs + 2000,
      offset: 1,
      outcome: "recovered",
    }),
    registered({ machine: "F", tenant: fabrikam, registeredAt: startMs + 3000 }, 1),
  );
  return DATA_DIR;
}

const audit = (DATA_DIR: string, ...args: string[]): Promise<Ended> =>
  runCli(["audit", ...args], { DATA_DIR });

test("one row an enrollment, with its dead letter beside it, latest first; counts on standard error", async (t) => {
  const DATA_DIR = await filled(t);
  const { code, stdout, stderr } = await audit(DATA_DIR, "--format", "jsonl");
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "6 rows: 2 created, 1 recovered, 2 refused, 1 waiting\n");
  const rows = jsonLines(stdout) as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ outcome, machineName, deadLetterCode }) => [outcome, machineName, deadLetterCode]),
    [
      ["waiting", "D", null],
      ["created", "F", null],
      ["recovered", "=cmd|' /C calc'!A0", "tenant-blocked"],
      ["created", "A", null],
      ["refused", null, "value-not-json"],
      ["refused", "C", "graph-400"],
    ],
  );
  const recovered = rows[2]!;
  assert.match(String(recovered.idempotencyKey), /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    { ...recovered, idempotencyKey: "" },
    {
      ...{ time: "2026-11-20T08:00:02.000Z", outcome: "recovered", tenantId: contoso },
      ...{ machineName: "=cmd|' /C calc'!A0", connectorName: "connector" },
      ...{ enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00", eventId: "event-1" },
      ...{
        eventSource: "/installers/17",
        eventPosition: "enrolled/0/1",
        enrolledAt: "2026-11-20T08:00:01.000Z",
      },
      ...{ idempotencyKey: "", graphId: "11111111-0000-4000-8000-000000000001" },
      ...{ requestId: "22222222-0000-4000-8000-000000000002", httpStatus: 201, attempts: 1 },
      ...{ recordPosition: "registered/0/1", deadLetterId: "enrolled/0/1", deadLetterCode: "tenant-blocked" },
      ...{ deadLetterMessage: "Graph refused it.", deadLetterPointers: "/data/machineName" },
      ...{ deadLetterAttempts: 2, deadLetterRequestId: "33333333-0000-4000-8000-000000000003" },
      ...{
        deadLetterTime: "2026-11-20T08:00:00.010Z",
        deadLetterReplayed: "no",
        deadLetterPosition: "dlq/0/0",
      },
    },
  );
  const csv = await audit(DATA_DIR);
  assert.equal(csv.code, 0, csv.stderr);
  assert.ok(csv.stdout.startsWith("time,outcome,tenantId,machineName,"));
  assert.ok(csv.stdout.includes(`,"'=cmd|' /C calc'!A0",`), csv.stdout);
});

test("--tenant, --since and --until choose rows", async (t) => {
  const DATA_DIR = await filled(t);
  const of = async (...args: string[]) => {
    const { code, stdout, stderr } = await audit(DATA_DIR, "--format", "jsonl", ...args);
    assert.equal(code, 0, stderr);
    return (jsonLines(stdout) as { machineName: string }[]).map(({ machineName }) => machineName);
  };
  assert.deepEqual(await of("--tenant", fabrikam.toUpperCase()), ["F"]);
  const window = ["--since", "2026-11-20T08:00:01Z", "--until", "2026-11-20T08:00:03Z"];
  assert.deepEqual(await of(...window), ["=cmd|' /C calc'!A0", "A"]);
  assert.deepEqual(await of("--tenant", "99999999-9999-4999-8999-999999999999"), []);
});

test("a file with its manifest is verified, also after the topics went on, in both forms", async (t) => {
  const DATA_DIR = await filled(t);
  for (const format of ["csv", "jsonl"]) {
    const file = join(temporaryDirectory(t), `week.${format}`);
    const { code, stdout, stderr } = await audit(
      DATA_DIR,
      "--out",
      file,
      "--format",
      format,
      "--until",
      "2027-01-01",
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /rows: [23] created, 1 recovered, 2 refused/);
    const manifest = JSON.parse(readFileSync(`${file}.manifest.json`, "utf8"));
    const text = readFileSync(file);
    assert.equal(manifest.sha256, createHash("sha256").update(text).digest("hex"));
    assert.equal(manifest.bytes, text.length);
    assert.deepEqual(manifest.filter, { tenantIds: null, since: null, until: "2027-01-01T00:00:00.000Z" });
    assert.deepEqual(
      manifest.topics
        .find(({ name }: { name: string }) => name === "connector.registered")
        .partitions.map(({ to }: { to: number }) => to)[1],
      format === "csv" ? 1 : 2,
    );
    await append(DATA_DIR, registered({ machine: `later ${format}`, tenant: fabrikam }, 1));
    const verified = await runCli(["audit", "--verify", file], { DATA_DIR });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /is what the topics say: \d rows, SHA-256 [0-9a-f]{64}\n$/);
    const again = await audit(DATA_DIR, "--out", file);
    assert.deepEqual([again.code, readFileSync(file).equals(text)], [2, true]);
    assert.match(again.stderr, /is there already/);
  }
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith("connector-registrar-audit-")),
    [],
  );
});

test("what was exported since a time before all times is verified too", async (t) => {
  const DATA_DIR = await filled(t);
  const file = join(temporaryDirectory(t), "all.csv");
  assert.equal((await audit(DATA_DIR, "--out", file, "--since", "999999d")).code, 0);
  assert.match(readFileSync(`${file}.manifest.json`, "utf8"), /"since": "-/);
  const verified = await runCli(["audit", "--verify", file], { DATA_DIR });
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});

test("what was changed in a file is named: a value, a row that went, one that came, and what can't be read", async (t) => {
  const DATA_DIR = await filled(t);
  const directory = temporaryDirectory(t);
  for (const format of ["csv", "jsonl"]) {
    const file = join(directory, `export.${format}`);
    assert.equal((await audit(DATA_DIR, "--out", file, "--format", format)).code, 0);
    const whole = readFileSync(file, "utf8");
    const verifyWith = async (text: string) => {
      writeFileSync(file, text);
      const { code, stdout, stderr } = await runCli(["audit", "--verify", file], { DATA_DIR });
      assert.equal(code, 1, stderr);
      assert.match(
        stdout,
        /is not what the topics say:\n {2}the file is not the one that was exported: \d+ bytes/,
      );
      return stdout;
    };
    const lines = whole.split("\n");
    const row = (name: string) => lines.find((line) => line.includes(name))!;
    assert.match(
      await verifyWith(whole.replace("graph-400", "graph-500")),
      /: deadLetterCode is "graph-500" in the file, "graph-400" in the topics/,
    );
    assert.match(
      await verifyWith(lines.filter((line) => line !== row("graph-400")).join("\n")),
      /[0-9a-f-]{36}: only in the topics \(refused, 2026-11-20T08:00:00\.020Z, C\)/,
    );
    const stranger = row("graph-400").replaceAll(/[0-9a-f]{8}(?=-[0-9a-f]{4}-5)/g, "ffffffff");
    const added = lines.flatMap((line) => (line === row("graph-400") ? [line, stranger] : [line]));
    assert.match(
      await verifyWith(added.join("\n")),
      /ffffffff-[0-9a-f-]+: only in the file \(refused, .*its record dlq\/0\/1 is not there/,
    );
    assert.match(await verifyWith(`${whole}what?\n`), /record \d of the file can't be read/);
    assert.match(await verifyWith(""), /and 0 more|only in the topics/);
  }
});

test("a row whose record was replaced by a later one of its key is reported with that one", async (t) => {
  const DATA_DIR = await filled(t);
  const file = join(temporaryDirectory(t), "export.csv");
  assert.equal((await audit(DATA_DIR, "--out", file)).code, 0);
  // As compaction leaves it: the record of A is another key's, and a later one of A follows after the export's end.
  const stranger = registered({ machine: "stranger", registeredAt: startMs + 1000 });
  await append(DATA_DIR, registered({ machine: "A", outcome: "recovered" }));
  await replaceRegistered(DATA_DIR, 0, stranger);
  const { code, stdout } = await audit(DATA_DIR, "--verify", file);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /: only in the file \(created, .*, A\); its record registered\/0\/0 is not there: .*\(compaction, since registered\/0\/2 is a later one of its key\)/,
  );
  assert.match(stdout, /: only in the topics \(created, .*, stranger\)/);
});

test("what can't be done is said with what to type, and nothing is left behind", async (t) => {
  const empty = temporaryDirectory(t);
  const none = await audit(empty);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /There is no event log in .*\n.*--data-dir/);
  assert.deepEqual(readdirSync(empty), []);

  const DATA_DIR = await filled(t);
  const missing = await audit(DATA_DIR, "--out", join(empty, "nowhere", "file.csv"));
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /file\.csv can't be written: ENOENT/);

  const unknown = await runCli(["audit", "--verify", join(empty, "none.csv")], { DATA_DIR });
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /none\.csv\.manifest\.json can't be read: ENOENT/);

  const file = join(empty, "file.csv");
  assert.equal((await audit(DATA_DIR, "--out", file)).code, 0);
  const manifest = readFileSync(`${file}.manifest.json`, "utf8");
  writeFileSync(`${file}.manifest.json`, manifest.replace('"formatVersion": 1', '"formatVersion": 2'));
  const other = await runCli(["audit", "--verify", file], { DATA_DIR });
  assert.equal(other.code, 2);
  assert.match(other.stderr, /is not a manifest that this version can read/);

  writeFileSync(`${file}.manifest.json`, manifest.replace(/"bytes": \d+/, '"bytes": 7'));
  const size = await runCli(["audit", "--verify", file], { DATA_DIR });
  assert.deepEqual([size.code, /the manifest says 7 with/.test(size.stdout)], [1, true]);

  writeFileSync(
    `${file}.manifest.json`,
    manifest.replace('"since": null', '"since": "2026-99-01T00:00:00Z"'),
  );
  const noTime = await runCli(["audit", "--verify", file], { DATA_DIR });
  assert.deepEqual([noTime.code, /is not a manifest/.test(noTime.stderr)], [2, true]);

  writeFileSync(`${file}.manifest.json`, manifest.replaceAll(/"to": \d+/g, '"to": 999'));
  const beyond = await runCli(["audit", "--verify", file], { DATA_DIR });
  assert.equal(beyond.code, 1);
  assert.match(beyond.stdout, /connector\.registered, partition 0 ends at offset 2, and was read up to 999/);

  const both = await runCli(["audit", "--verify", file, "--out", "x"], { DATA_DIR });
  assert.equal(both.code, 2);
  assert.equal(existsSync("x"), false);
});

test("a reader that goes away ends the command in good order", async (t) => {
  const DATA_DIR = temporaryDirectory(t);
  const many = Array.from({ length: 3000 }, (_, n) =>
    registered({ machine: `M-${n}`, registeredAt: startMs + n }),
  );
  await append(DATA_DIR, ...many);
  const running = startCli(["audit"], { DATA_DIR });
  running.child.stdout?.once("data", () => running.child.stdout?.destroy());
  const { code, stderr } = await running.ended;
  assert.deepEqual([code, stderr.replace(/^3000 rows: .*\n$/, "")], [0, ""]);
});
