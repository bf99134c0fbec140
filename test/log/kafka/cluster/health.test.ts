import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { virtualClock } from "../../../../lab/testkit/virtual-clock.ts";
import { systemClock } from "../../../../src/clock.ts";
import { openClusterConnection } from "../../../../src/log/kafka/cluster/cluster-connection.ts";
import { createHealth, type LogEvent } from "../../../../src/log/kafka/cluster/health.ts";
import type { KafkajsConnection } from "../../../../src/log/kafka/cluster/kafkajs-internals.ts";

function given() {
  const clock = virtualClock();
  const events: LogEvent[] = [];
  const health = createHealth(clock, (event) => events.push(event));
  return { clock, events, health };
}

const unreachable = (broker: string, reason: string): LogEvent => ({
  kind: "log-unreachable",
  broker,
  reason,
});

/** A connection on which one request of this kind waits since `sentAt`, wall clock. */
function waiting(apiName: string, sentAt: number): KafkajsConnection {
  const inflight = new Map([[1, { sentAt, entry: { apiName } }]]);
  return { broker: "b:1", requestQueue: { inflight } } as unknown as KafkajsConnection;
}

test("a lasting failure is reported once, within 5 s, and its end once", () => {
  const { clock, events, health } = given();
  for (let failedForMs = 0; failedForMs < 10_000; failedForMs += 500) {
    health.brokerFailed("b:1", "refused");
    if (failedForMs < 3_000) assert.deepEqual(events, []);
    clock.advance(500);
    if (failedForMs === 3_500) assert.deepEqual(events, [unreachable("b:1", "refused")]);
  }
  assert.match(health.trouble()!, /for 10 s: b:1: refused/);
  health.worked("b:1");
  clock.advance(500);
  assert.equal(events.length, 2);
  assert.deepEqual(events[1], { kind: "log-reachable", forMs: 10_500 });
  assert.equal(health.trouble(), null);
  clock.advance(60_000);
  assert.equal(events.length, 2);
});

test("what works now and then is not reported", () => {
  const { clock, events, health } = given();
  for (let round = 0; round < 20; round += 1) {
    health.brokerFailed("b:1", "reset");
    clock.advance(3_000);
    health.worked("b:1");
  }
  assert.deepEqual(events, []);
});

test("what works does not hide what does not", () => {
  const { clock, events, health } = given();
  for (let round = 0; round < 12; round += 1) {
    health.brokerFailed("b:1", "refused");
    health.worked("b:2");
    clock.advance(500);
  }
  assert.deepEqual(events, [unreachable("b:1", "refused")]);
});

test("a broker that is not asked any more is no longer reported", () => {
  const { clock, events, health } = given();
  for (let round = 0; round < 12; round += 1) {
    health.brokerFailed("b:1", "refused");
    clock.advance(500);
  }
  clock.advance(7_000);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["log-unreachable", "log-reachable"],
  );
});

test("a request without an answer is reported; one that waits for other members is not", () => {
  const { clock, events, health } = given();
  const connections = [waiting("JoinGroup", clock.wallMs())];
  const stop = health.watch(connections);
  clock.advance(30_000);
  assert.deepEqual(events, []);
  connections.push(waiting("Heartbeat", clock.wallMs()));
  clock.advance(4_500);
  assert.deepEqual(events, [unreachable("b:1", "no answer to Heartbeat")]);
  clock.advance(30_000);
  assert.equal(events.length, 1, "for as long as it waits");
  connections.pop();
  health.worked("b:1");
  clock.advance(500);
  assert.equal(events.length, 2);
  stop();
});

test("a broker is named rather than what is missing because of it", () => {
  const { clock, events, health } = given();
  for (let round = 0; round < 8; round += 1) {
    health.failed("group g", "reset");
    if (round > 2) health.brokerFailed("b:1", "refused");
    clock.advance(500);
  }
  assert.deepEqual(events, [unreachable("b:1", "refused")]);
});

test("closed, it tells of nothing", () => {
  const { clock, events, health } = given();
  health.brokerFailed("b:1", "refused");
  health.close();
  health.brokerFailed("b:1", "refused");
  clock.advance(60_000);
  assert.deepEqual(events, []);
});

test("a broker that takes connections and never answers is named, and why", {
  timeout: 30_000,
}, async (t) => {
  const silent = createServer((socket) => socket.on("error", () => {}));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const broker = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const told = Promise.withResolvers<LogEvent>();
  const health = createHealth(systemClock, told.resolve);
  const cluster = openClusterConnection(
    { brokers: [broker], clientId: "c", security: {}, requestTimeoutMs: 6_000, health },
    ["t"],
  );
  t.after(async () => {
    health.close();
    silent.close();
    await assert.rejects(cluster, /does not answer|timed out/);
  });
  assert.deepEqual(await told.promise, unreachable(broker, "no answer to ApiVersions"));
});
