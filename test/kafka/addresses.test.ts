import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { seedsOf } from "../../src/kafka/addresses.ts";
import { openWire } from "../../src/kafka/client.ts";
import { createHealth } from "../../src/kafka/health.ts";

test("addresses are split at the port, also those of IPv6", () => {
  assert.deepEqual(seedsOf(["kafka:9093", "[::1]:9092", "10.0.0.1:1", "[fe80::1]", " kafka "]), [
    { host: "kafka", port: 9093 },
    { host: "::1", port: 9092 },
    { host: "10.0.0.1", port: 1 },
    { host: "fe80::1", port: 9092 },
    { host: "kafka", port: 9092 },
  ]);
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

test("a broker at an IPv6 address is connected to", {
  skip: hasIpv6 ? false : "no IPv6 on the loopback interface",
  timeout: 30_000,
}, async (t) => {
  const connected = Promise.withResolvers<Socket>();
  const server = createServer(connected.resolve);
  server.listen(0, "::1");
  await once(server, "listening");
  const health = createHealth(systemClock, () => {});
  const brokers = [`[::1]:${(server.address() as AddressInfo).port}`];
  const wire = openWire({ brokers, clientId: "c", security: {}, requestTimeoutMs: 1_000, health }, ["t"]);
  t.after(async () => {
    health.close();
    server.close();
    await assert.rejects(wire);
  });
  const socket = await connected.promise;
  socket.on("error", () => {}).destroy();
});
