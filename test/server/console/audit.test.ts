/** Exports of the console: the same as those of `audit`, for the tenants and the time that were asked for. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { contoso, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import { createExports } from "../../../src/server/console/exports.ts";
import { consoleLimits } from "../../../src/server/console/limits.ts";
import type { WriteExport } from "../../../src/server/console/write-export.ts";
import { until } from "../service-harness.ts";
import { type Console, consoleFor, endMs } from "./harness.ts";

async function made({ post, get }: Console, form: Record<string, string>): Promise<string> {
  const begun = await post("/console/audit", form);
  assert.equal(begun.status, 303, await begun.text());
  const path = begun.headers.get("location")!;
  await until(async () => !(await (await get(path)).text()).includes("being made"));
  return path;
}

test("CSV and JSON lines, by tenant and time, with a manifest that fits the file", async (t) => {
  const console = await consoleFor(t);
  const sinceMs = endMs - 30 * 60_000;
  const path = await made(console, { tenant: fabrikam.toUpperCase(), since: "30m", format: "jsonl" });
  const file = await console.get(`${path}/file`);
  const bytes = Buffer.from(await file.arrayBuffer());
  assert.equal(
    file.headers.get("content-disposition"),
    `attachment; filename="audit-2026-11-20T090030Z.jsonl"`,
  );
  assert.equal(file.headers.get("content-length"), String(bytes.length));
  const rows = bytes
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const expected = console.index.search({ tenantIds: [fabrikam], sinceMs, limit: 1_000 }).rows;
  assert.deepEqual(rows.map((row) => row.idempotencyKey).sort(), expected.map(({ key }) => key).sort());
  assert.ok(rows.length > 5);
  const manifest = (await (await console.get(`${path}/manifest`)).json()) as Record<string, unknown>;
  assert.equal(manifest.sha256, createHash("sha256").update(bytes).digest("hex"));
  const csv = await console.get(`${await made(console, { tenant: contoso })}/file`);
  assert.match(csv.headers.get("content-type")!, /^text\/csv/);
  assert.match(await csv.text(), /^time,outcome,tenantId,/);
});

test("what can't be read is said, and an index that is behind makes none", async (t) => {
  const console = await consoleFor(t);
  const wrong = await console.post("/console/audit", { tenant: "contoso" });
  assert.deepEqual([wrong.status, /Type a GUID/.test(await wrong.text())], [400, true]);
  const behind = await consoleFor(t, { parts: { index: () => null } });
  assert.equal((await behind.post("/console/audit", {})).status, 503);
  assert.equal((await console.get("/console/audit/nothing/file")).status, 404);
});

test("one that can't be written is said to have failed, and the next may begin; few are kept", async (t) => {
  let fails = true;
  const counts = { rows: 0, created: 0, recovered: 0, refused: 0, waiting: 0 };
  const writeExport = () => async () => {
    if (fails) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    return { counts, sha256: "00" };
  };
  const console = await consoleFor(t, { parts: { writeExport } });
  const failed = await made(console, {});
  assert.match(await (await console.get(failed)).text(), /could not be made: .*ENOSPC/);
  fails = false;
  const paths = [];
  for (let n = 0; n <= consoleLimits.exportsKept; n++) paths.push(await made(console, {}));
  assert.equal((await console.get(failed)).status, 404);
  assert.equal((await console.get(paths[0]!)).status, 404);
  assert.equal((await console.get(paths.at(-1)!)).status, 200);
});

const nothing = { counts: { rows: 0, created: 0, recovered: 0, refused: 0, waiting: 0 }, sha256: "00" };
const all = { tenantIds: null, sinceMs: null, untilMs: null };

/** Exports in a directory for temporary files of their own; `write` stands for the audit's. */
function exportsFor(t: TestContext, write: WriteExport) {
  const before = process.env.TMPDIR;
  const directory = mkdtempSync(join(tmpdir(), "exports-"));
  process.env.TMPDIR = directory;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(directory, { recursive: true, force: true });
  });
  const clock = virtualClock();
  const exports = createExports({ clock, write: () => write, version: "1.2.3", note: () => {} });
  return { exports, clock, directory };
}

test("without a directory for temporary files it has failed, and says so; the service still ends", async (t) => {
  const { exports, directory } = exportsFor(t, async () => nothing);
  rmSync(directory, { recursive: true });
  const first = exports.begin(all, "csv", "a")!;
  await until(() => exports.find(first.id)?.state === "failed");
  assert.match(exports.find(first.id)!.why!, /ENOENT/);
  assert.notEqual(exports.begin(all, "csv", "a"), null);
  await exports.close();
});

test("one whose file was cleared away is not there; when its time is up it is removed by itself", async (t) => {
  const { exports, clock, directory } = exportsFor(t, async () => nothing);
  const { id } = exports.begin(all, "csv", "a")!;
  await until(() => exports.find(id)?.state === "ready");
  assert.equal(await exports.read(id, "file"), null);
  assert.equal(readdirSync(directory).length, 1);
  await clock.advance(consoleLimits.exportMs);
  await until(() => readdirSync(directory).length === 0);
  await exports.close();
});

test("the end of the service ends one that is being made", async (t) => {
  const write: WriteExport = async ({ signal }) => {
    if (!signal!.aborted) await once(signal!, "abort");
    throw signal!.reason;
  };
  const { exports, directory } = exportsFor(t, write);
  assert.notEqual(exports.begin(all, "csv", "a"), null);
  await exports.close();
  assert.deepEqual(readdirSync(directory), []);
});
