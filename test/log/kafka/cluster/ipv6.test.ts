/** Brokers by IPv6 address. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { systemClock } from "../../../../src/clock.ts";
import { openKafkaLog } from "../../../../src/log/kafka/kafka-log.ts";

const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
const skip = addresses.some(({ address }) => address === "::1") ? false : "this machine has no ::1";

test("[::1]:port reaches the port that it names, and is named so in the message", { skip }, async (t) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const broker = `[::1]:${address.port}`;
  const opened = await openKafkaLog(
    {
      brokers: [broker],
      clientId: "test",
      groupId: "group",
      topicPrefix: "",
      partitionCount: 1,
      replicationFactor: 1,
      createTopics: false,
      sessionTimeoutMs: 10_000,
      maxPartitionFetchBytes: 131_072,
      publishTimeoutMs: 1_000,
    },
    systemClock,
  );
  assert.ok(!opened.ok && opened.retryable);
  assert.ok(connections > 0);
  assert.ok(opened.problem.message.includes(`Kafka at ${broker} `), opened.problem.message);
});
