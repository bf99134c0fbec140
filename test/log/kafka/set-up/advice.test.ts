import assert from "node:assert/strict";
import { test } from "node:test";
import { createCommands, grant } from "../../../../src/log/kafka/set-up/advice.ts";

const kafka = { brokers: ["b:9092"], topicPrefix: "x.", partitionCount: 8, replicationFactor: 3 };
const eventHubs = { ...kafka, brokers: ["ns-1.servicebus.windows.net:9093"], flavor: "event-hubs" } as const;
const topics = [
  { role: "enrolled", configs: {} },
  { role: "registered", configs: { "cleanup.policy": "compact" } },
] as const;

test("Kafka's topics are made by a line each", () => {
  const base = "kafka-topics.sh --bootstrap-server b:9092 --create --topic";
  const counts = "--partitions 8 --replication-factor 3";
  assert.equal(
    createCommands(topics, kafka),
    `${base} x.connector.enrolled ${counts} && ${base} x.connector.registered ${counts} --config cleanup.policy=compact`,
  );
});

test("event hubs are made by the template", () => {
  assert.equal(
    createCommands(topics, eventHubs),
    "az deployment group create --resource-group '<resource group>' --template-file deploy/azure/event-hubs.bicep " +
      "--parameters namespaceName=ns-1 partitionCount=8 topicPrefix=x.",
  );
});

for (const [operation, role] of [
  ["Write", "Sender"],
  ["Describe", "Receiver"],
  ["Create", "Owner"],
] as const) {
  test(`the right to ${operation} is an ACL of Kafka, a role of Event Hubs`, () => {
    assert.match(
      grant(kafka, operation, "x"),
      new RegExp(`^kafka-acls\\.sh .*--operation ${operation} --topic x$`),
    );
    assert.match(grant(eventHubs, operation, "x"), new RegExp(`--role 'Azure Event Hubs Data ${role}'`));
  });
}
