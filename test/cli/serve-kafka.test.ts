/** `serve` and `start` on Kafka, each in a process of its own, and what `serve` answers while the broker is silent. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { obtainBroker, skipWithout } from "../../lab/testkit/broker.ts";
import { emulatorFor, tenantId } from "../../lab/testkit/emulator.ts";
import { startCli, temporaryDirectory } from "./run-cli.ts";

const broker = await obtainBroker();
after(() => (broker.ok ? broker.stop() : undefined));

const event = JSON.stringify({
  ...{ specversion: "1.0", id: "1", source: "/installers/1", type: "connector.enrolled", tenantid: tenantId },
  data: {
    ...{ connectorName: "C", machineName: "PC-1", enrollmentDateTime: "2026-01-02T03:04:05Z" },
    ...{ lastCheckinDateTime: "2026-01-02T03:04:05Z", connectorVersion: "1" },
  },
});
const send = (url: string, prefer = "wait=60") =>
  fetch(`${url}/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json", prefer },
    body: event,
  });

test("an event by HTTP is registered by a worker on Kafka, and its sender learns the Graph id", {
  skip: skipWithout(broker),
  timeout: 120_000,
}, async (t) => {
  const { emulator, environment } = await emulatorFor(t);
  assert.ok(broker.ok);
  const name = `serve-${randomUUID().slice(0, 8)}`;
  const kafka = {
    ...{ KAFKA_BROKERS: broker.brokers.join(","), KAFKA_TOPIC_PREFIX: `${name}.`, KAFKA_GROUP_ID: name },
    ...{ TOPICS_PARTITIONS: "2", KAFKA_SESSION_TIMEOUT_MS: "6000" },
  };
  const worker = startCli(["start"], { ...environment, ...kafka, DATA_DIR: temporaryDirectory(t) });
  t.after(() => worker.child.kill("SIGKILL"));
  await worker.line(/working on/);
  const serve = startCli(["serve", "--serve-port", "0"], { ...kafka, DATA_DIR: temporaryDirectory(t) });
  t.after(() => serve.child.kill("SIGKILL"));
  const { url } = JSON.parse(await serve.line(/serving at/));
  await serve.line(/taking events in/);
  const answer = await send(url);
  const body = (await answer.json()) as { readonly graphId: string };
  assert.equal(answer.status, 201, JSON.stringify(body));
  assert.equal(body.graphId, emulator.inventory()[tenantId]![0]!.id);
  assert.equal((await send(url)).status, 200);
  serve.child.kill("SIGTERM");
  assert.equal((await serve.ended).code, 0);
});

test("while no broker answers, events are answered 503 with Retry-After, and /readyz says why", async (t) => {
  const environment = { KAFKA_BROKERS: "127.0.0.1:1", DATA_DIR: temporaryDirectory(t) };
  const serve = startCli(["serve", "--serve-port", "0", "--http-port", "0"], environment);
  t.after(() => serve.child.kill("SIGKILL"));
  const { url } = JSON.parse(await serve.line(/serving at/));
  const health = JSON.parse(await serve.line(/health and metrics/));
  await serve.line(/Trying again/);
  const answer = await send(url);
  assert.equal(answer.status, 503);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  const ready = await fetch(`${health.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /log: not open yet/);
  serve.child.kill("SIGTERM");
  assert.equal((await serve.ended).code, 0);
});
