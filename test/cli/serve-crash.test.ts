/** kill -9 of the service and of the worker while events come: every 202 ends registered or dead-lettered, once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { systemClock } from "../../src/clock.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import type { LogRecord, Topic } from "../../src/ports.ts";
import { allRecords, allRegistered, restarting, sendWhileCrashing, shortTimes } from "./intake-load.ts";
import { temporaryDirectory } from "./run-cli.ts";

const confirmedWanted = 600;

async function recordsOf(dataDir: string, topic: Topic): Promise<LogRecord[]> {
  const opened = await openEmbeddedLog({ dataDir, partitionCount: 8 }, systemClock);
  assert.ok(opened.ok);
  const records = await allRecords(opened.log, topic);
  await opened.log.close();
  return records;
}

test("serve and start are killed again and again under load: every 202 is registered once", {
  timeout: 170_000,
}, async (t) => {
  const { emulator, environment } = await emulatorFor(t, { behaviour: { throttle: null } });
  const DATA_DIR = temporaryDirectory(t);
  const port = await freePort();
  const worker = restarting(t, {
    args: ["start"],
    environment: { ...environment, ...shortTimes, DATA_DIR },
    ready: /working on/,
  });
  const serve = restarting(t, {
    args: ["serve", "--serve-port", String(port)],
    environment: { DATA_DIR, SERVE_EVENTS_PER_S: "0", PUBLISH_TIMEOUT_MS: "1000" },
    ready: /taking events in/,
  });
  await Promise.all([worker.start(), serve.start()]);
  const confirmed = await sendWhileCrashing(t, `http://127.0.0.1:${port}`, {
    wanted: confirmedWanted,
    crashAt: new Map([
      [100, serve.crash],
      [250, worker.crash],
      [400, serve.crash],
      [500, worker.crash],
    ]),
  });
  await allRegistered(confirmed, (topic) => recordsOf(DATA_DIR, topic));
  const objects = emulator.inventory()[tenantId] ?? [];
  const machines = new Set(objects.map(({ machineName }) => machineName));
  assert.equal(machines.size, objects.length, "an enrollment has two objects");
  assert.equal(objects.length, confirmedWanted);
  assert.deepEqual(await recordsOf(DATA_DIR, "dlq"), []);
});
