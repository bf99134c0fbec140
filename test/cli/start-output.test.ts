/** What becomes of the worker when its standard output takes nothing: it works on, answers, and stops when asked. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  createReadStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { faultProfile } from "../../emulator/faults.ts";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { emulatorFor } from "../../lab/testkit/emulator.ts";
import { jsonLines, runCli, startCliTo, temporaryDirectory, waitUntil } from "./run-cli.ts";

const droppedName = "connector_registrar_log_lines_dropped_total";

/** A worker that dead-letters `records` bad ones, with a log line each, while its standard output is `stdout`. */
async function workerOn(t: TestContext, stdout: number, records: number) {
  const { emulator, environment } = await emulatorFor(t);
  emulator.setFaults(faultProfile("none"));
  const DATA_DIR = temporaryDirectory(t);
  const port = await freePort();
  const bad = "{}\n".repeat(records);
  const emitted = await runCli(["emit", "-", "--raw", "--quiet"], { ...environment, DATA_DIR }, bad);
  assert.equal(emitted.code, 0, emitted.stderr);
  const worker = startCliTo(stdout, ["start", "--http-port", String(port)], { ...environment, DATA_DIR });
  t.after(() => worker.child.kill("SIGKILL"));
  const read = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  /** All of its series together: those of every code begin at zero. */
  const counter = async (name: string) => {
    const series = (await read("/metrics")).matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, "gm"));
    return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  await waitUntil(
    async () => (await counter("connector_registrar_dead_letters_total")) === records,
    () => worker.errors(),
  );
  return { worker, read, counter };
}

async function stops(worker: ReturnType<typeof startCliTo>): Promise<void> {
  worker.child.kill("SIGTERM");
  const { code, stderr } = await worker.ended;
  assert.equal(code, 0, stderr);
}

test("on a full disk the worker works, counts the lines that it could not write, and stops", async (t) => {
  const full = openSync("/dev/full", "w");
  t.after(() => closeSync(full));
  const { worker, read, counter } = await workerOn(t, full, 6_000);
  assert.match(await read("/livez"), /true/);
  assert.ok((await counter(droppedName)) > 0);
  await stops(worker);
});

/** A file system of 64 KiB; null where it can't be made, which takes root. */
function mountSmall(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), "small-disk-"));
  const mount = (...options: string[]) => spawnSync("mount", ["-o", ...options, path], { encoding: "utf8" });
  const isMounted = mount("size=64k", "-t", "tmpfs", "tmpfs").status === 0;
  t.after(() => {
    if (isMounted) execFileSync("umount", ["--lazy", path]);
    rmdirSync(path);
  });
  if (!isMounted) return null;
  return { file: join(path, "log"), grow: () => assert.equal(mount("remount,size=16m").status, 0) };
}

test("on a small disk that is full the worker works; once there is room, the log says how many lines are missing", async (t) => {
  const disk = mountSmall(t);
  if (disk === null) {
    assert.notEqual(process.env.REQUIRE_NETNS, "1", "REQUIRE_NETNS=1, but no tmpfs can be mounted");
    return t.skip("no root that may mount a tmpfs");
  }
  const output = openSync(disk.file, "a");
  t.after(() => closeSync(output));
  const records = 6_000;
  const { worker, read, counter } = await workerOn(t, output, records);
  assert.match(await read("/livez"), /true/);
  const dropped = await counter(droppedName);
  assert.ok(dropped > 0);
  const written = () => jsonLines(readFileSync(disk.file, "utf8").replace(/[^\n]*$/, ""));
  assert.equal(written().filter(({ event }) => event === "log-lines-dropped").length, 0);
  disk.grow();
  const notices = () => written().filter(({ event }) => event === "log-lines-dropped");
  await waitUntil(
    async () => notices().length > 0,
    () => worker.errors(),
  );
  const [notice] = notices();
  assert.equal(notice?.reason, "ENOSPC");
  const letters = written().filter(({ event }) => event === "record-refused").length;
  assert.ok(letters < records && letters + Number(notice?.lines) >= records, `${letters} + ${notice?.lines}`);
  await stops(worker);
  assert.equal(written().at(-1)?.msg, "stopped");
});

function openFifo(t: TestContext) {
  const path = join(temporaryDirectory(t), "log");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { path, reader, writer: openSync(path, "w") };
}

test("with a reader that is gone the worker works and stops", async (t) => {
  const { reader, writer } = openFifo(t);
  closeSync(reader);
  t.after(() => closeSync(writer));
  const { worker } = await workerOn(t, writer, 10);
  await stops(worker);
});

test("with a reader that stands still the worker works; read again, the log says how many lines are missing", async (t) => {
  const { path, reader, writer } = openFifo(t);
  const records = 6_000;
  const { worker, counter } = await workerOn(t, writer, records);
  closeSync(writer);
  const dropped = await counter(droppedName);
  assert.ok(dropped > 0);

  const lines: Record<string, unknown>[] = [];
  const told = Promise.withResolvers<void>();
  createInterface({ input: createReadStream(path) }).on("line", (line) => {
    lines.push(JSON.parse(line));
    if (lines.at(-1)!.event === "log-lines-dropped") told.resolve();
  });
  await told.promise;
  closeSync(reader);
  const letters = lines.filter(({ event }) => event === "record-refused").length;
  const notice = lines.find(({ event }) => event === "log-lines-dropped")!;
  assert.equal(notice.reason, "EAGAIN");
  assert.ok(letters < records && letters + Number(notice.lines) >= records);
  await stops(worker);
});
