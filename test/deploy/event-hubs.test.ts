/** The template for Event Hubs makes what the worker looks for. It is not compiled here: that takes a tool of Azure's own. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { topicName, topics } from "../../src/domain/topics.ts";
import { createCommands } from "../../src/log/kafka/set-up/advice.ts";

const text = readFileSync(join(import.meta.dirname, "../../deploy/azure/event-hubs.bicep"), "utf8");
const resource = (name: string) => new RegExp(`resource ${name} .+?\\n[}\\]]\\n`, "s").exec(text)?.[0] ?? "";

test("all four topics are made; only the registered one is compacted", () => {
  const deleted = /var deleted = \[([^\]]+)\]/.exec(text)?.[1] ?? "";
  for (const role of topics) {
    const name = topicName(role, "");
    assert.equal(deleted.includes(`'${name}'`), role !== "registered", name);
  }
  assert.ok(resource("registered").includes(`'\${topicPrefix}${topicName("registered", "")}'`));
  assert.match(resource("registered"), /cleanupPolicy: 'Compact'/);
  assert.match(resource("inputs"), /cleanupPolicy: 'Delete'/);
});

test("all have the same partition count, and workers may send and receive", () => {
  assert.equal(text.match(/partitionCount: partitionCount/g)?.length, 2);
  assert.match(resource("workersSend"), /roleDefinitionId: senderRole/);
  assert.match(resource("workersReceive"), /roleDefinitionId: receiverRole/);
});

test("the advice of the worker names parameters that it has", () => {
  const target = {
    brokers: ["ns.servicebus.windows.net:9093"],
    topicPrefix: "x.",
    flavor: "event-hubs",
  } as const;
  const command = createCommands([], { ...target, partitionCount: 8, replicationFactor: -1 });
  const parameters = [...command.matchAll(/ (\w+)=/g)].map(([, name]) => name);
  assert.deepEqual(parameters, ["namespaceName", "partitionCount", "topicPrefix"]);
  for (const name of parameters) assert.match(text, new RegExp(`^param ${name} `, "m"));
});

test("brackets and quotes close", () => {
  const code = text.replaceAll(/\/\/.*$/gm, "");
  for (const pair of ["{}", "[]", "()"]) {
    const [open, close] = [...pair].map((sign) => code.split(sign!).length);
    assert.equal(open, close, pair);
  }
  for (const line of code.split("\n")) assert.equal((line.match(/'/g)?.length ?? 0) % 2, 0, line);
});
