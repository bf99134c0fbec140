/** kill -9 of the Kafka broker, and of the service, while events come: every 202 ends registered, once. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { skipWithout, startOwnBroker } from "../../lab/testkit/broker.ts";
import { freePort } from "../../lab/testkit/broker-port.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { systemClock } from "../../src/clock.ts";
import { openLog } from "../../src/compose.ts";
import { loadSettings } from "../../src/config/load.ts";
import { allRecords, allRegistered, restarting, sendWhileCrashing, shortTimes } from "./intake-load.ts";
import { temporaryDirectory } from "./run-cli.ts";

/** With a property of its own it is a Java process, which is back sooner than a container. */
const broker = await startOwnBroker({ "num.io.threads": "2" });
after(() => (broker.ok ? broker.stop() : undefined));

const confirmedWanted = 400;

test("the broker is killed again and again under load: every 202 is registered once", {
  skip: skipWithout(broker),
  timeout: 540_000,
}, async (t) => {
  assert.ok(broker.ok);
  const { emulator, environment } = await emulatorFor(t, { behaviour: { throttle: null } });
  const kafka = {
    ...{ KAFKA_BROKERS: broker.brokers.join(","), KAFKA_TOPIC_PREFIX: "crash.", KAFKA_GROUP_ID: "crash" },
    ...{ TOPICS_PARTITIONS: "2", KAFKA_SESSION_TIMEOUT_MS: "6000" },
  };
  const port = await freePort();
  const workerDir = temporaryDirectory(t);
  const worker = restarting(t, {
    args: ["start"],
    environment: {
      ...environment,
      ...shortTimes,
      ...kafka,
      PUBLISH_TIMEOUT_MS: "3000",
      SETTLE_MS: "4500",
      DATA_DIR: workerDir,
    },
    ready: /working on/,
  });
  const serve = restarting(t, {
    args: ["serve", "--serve-port", String(port)],
    environment: {
      ...kafka,
      DATA_DIR: temporaryDirectory(t),
      SERVE_EVENTS_PER_S: "0",
      PUBLISH_TIMEOUT_MS: "3000",
    },
    ready: /taking events in/,
  });
  await worker.start();
  await serve.start();
  const crash = async () => {
    await broker.kill();
    await broker.start();
  };
  const confirmed = await sendWhileCrashing(t, `http://127.0.0.1:${port}`, {
    wanted: confirmedWanted,
    crashAt: new Map([
      [80, crash],
      [200, serve.crash],
      [300, crash],
    ]),
  });
  const loaded = loadSettings({ environment: kafka, groups: ["log"] });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const opened = await openLog(loaded.settings, systemClock);
  assert.ok(opened.ok, JSON.stringify(opened));
  const { log } = opened;
  t.after(() => log.close());
  await allRegistered(confirmed, (topic) => allRecords(log, topic));
  const objects = emulator.inventory()[tenantId] ?? [];
  const machines = new Set(objects.map(({ machineName }) => machineName));
  assert.equal(machines.size, objects.length, "an enrollment has two objects");
  assert.equal(objects.length, confirmedWanted);
  assert.deepEqual(await allRecords(log, "dlq"), []);
});
