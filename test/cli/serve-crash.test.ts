/** kill -9 of the service and of the worker while events come: every 202 ends registered or dead-lettered, once. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Pool } from "undici";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { systemClock } from "../../src/clock.ts";
import { readLedgerEntry } from "../../src/domain/registered.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import type { LogRecord, Topic } from "../../src/ports.ts";
import { type Environment, type Running, startCli, temporaryDirectory, waitUntil } from "./run-cli.ts";

/** Short, so that a crash costs seconds; the settle time covers one request and one append. */
const times = {
  ...{
    GRAPH_REQUEST_TIMEOUT_MS: "1000",
    PUBLISH_TIMEOUT_MS: "1000",
    SETTLE_MS: "2500",
    GRAPH_ORPHAN_MS: "500",
  },
  ...{ REREAD_COUNT: "1", REREAD_DELAY_MS: "100", GRAPH_WRITES_PER_20S: "0", GRAPH_LISTS_PER_20S: "0" },
};
const confirmedWanted = 600;
const senders = 16;

/** A command that is killed without warning and started again, as often as it is asked for. */
function restarting(t: TestContext, args: readonly string[], environment: Environment, ready: RegExp) {
  let running: Running;
  const start = async () => {
    running = startCli(args, environment);
    await running.line(ready);
  };
  t.after(() => running.child.kill("SIGKILL"));
  return {
    start,
    async crash() {
      running.child.kill("SIGKILL");
      await running.ended;
      await start();
    },
  };
}

const event = (n: number) =>
  JSON.stringify({
    ...{
      specversion: "1.0",
      id: `e-${n}`,
      source: "/installers/1",
      type: "connector.enrolled",
      tenantid: tenantId,
    },
    data: {
      ...{ connectorName: "C", machineName: `PC-${n}`, enrollmentDateTime: "2026-01-02T03:04:05Z" },
      ...{ lastCheckinDateTime: "2026-01-02T03:04:05Z", connectorVersion: "1" },
    },
  });

/** Each event until it is confirmed, whatever becomes of connections meanwhile. */
async function confirm(pool: Pool, n: number): Promise<string> {
  for (;;) {
    try {
      const headers = { "content-type": "application/cloudevents+json" };
      const answer = await pool.request({ method: "POST", path: "/events", headers, body: event(n) });
      const text = await answer.body.text();
      if (answer.statusCode === 202 || answer.statusCode === 200) return JSON.parse(text).key;
      assert.equal(answer.statusCode, 503, text);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function recordsOf(dataDir: string, topic: Topic): Promise<LogRecord[]> {
  const opened = await openEmbeddedLog({ dataDir, partitionCount: 8 }, systemClock);
  assert.ok(opened.ok);
  const records: LogRecord[] = [];
  for (let partition = 0; partition < opened.log.partitionCount; partition++)
    await opened.log.scan(
      topic,
      partition,
      0,
      (batch) => records.push(...batch),
      new AbortController().signal,
    );
  await opened.log.close();
  return records;
}

test("serve and start are killed again and again under load: every 202 is registered once", {
  timeout: 170_000,
}, async (t) => {
  const { emulator, environment } = await emulatorFor(t, { behaviour: { throttle: null } });
  const DATA_DIR = temporaryDirectory(t);
  const port = await freePort();
  const worker = restarting(t, ["start"], { ...environment, ...times, DATA_DIR }, /working on/);
  const serve = restarting(
    t,
    ["serve", "--serve-port", String(port)],
    { DATA_DIR, SERVE_EVENTS_PER_S: "0", PUBLISH_TIMEOUT_MS: "1000" },
    /taking events in/,
  );
  await Promise.all([worker.start(), serve.start()]);
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: senders });
  t.after(() => pool.destroy());
  const confirmed = new Set<string>();
  let next = 0;
  const crashes: Promise<void>[] = [];
  const sender = async () => {
    while (next < confirmedWanted) {
      confirmed.add(await confirm(pool, next++));
      if (confirmed.size === 100 || confirmed.size === 400) crashes.push(serve.crash());
      if (confirmed.size === 250 || confirmed.size === 500) crashes.push(worker.crash());
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  await Promise.all(crashes);
  assert.equal(crashes.length, 4);
  const registeredIds = async () =>
    new Map(
      (await recordsOf(DATA_DIR, "registered"))
        .map((record) => readLedgerEntry(record))
        .filter((entry) => entry !== null)
        .map(({ idempotencyKey, graphId }) => [idempotencyKey, graphId]),
    );
  let registered = await registeredIds();
  await waitUntil(
    async () => {
      registered = await registeredIds();
      return [...confirmed].every((key) => registered.has(key));
    },
    () => `${registered.size} of ${confirmed.size} registered`,
  );
  const objects = emulator.inventory()[tenantId] ?? [];
  const machines = new Set(objects.map(({ machineName }) => machineName));
  assert.equal(machines.size, objects.length, "an enrollment has two objects");
  assert.equal(objects.length, confirmedWanted);
  assert.equal(confirmed.size, confirmedWanted);
  assert.deepEqual(await recordsOf(DATA_DIR, "dlq"), []);
});
