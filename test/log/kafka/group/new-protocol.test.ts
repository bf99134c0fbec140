/** A consumer of the new group protocol (KIP-848), by a client that is not ours, in the worker's group. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { Problem } from "../../../../src/problem.ts";
import { python, skipWithoutPython } from "../../../support/python.ts";
import { openHarness, skip } from "../harness.ts";
import { until } from "../waiting.ts";

const consumer = `
import sys
from confluent_kafka import Consumer
brokers, group, topic = sys.argv[1:]
consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "group.protocol": "consumer"})
consumer.subscribe([topic], on_assign=lambda _, partitions: print(len(partitions), flush=True))
while True:
    consumer.poll(1)
`;

test("a worker in its group stops, and says what to type", {
  skip: skip || skipWithoutPython("confluent_kafka"),
  timeout: 120_000,
}, async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  const { brokers, groupId } = harness.settings;
  const other = spawn(python, ["-c", consumer, brokers.join(","), groupId, harness.name("enrolled")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    if (!other.kill("SIGKILL")) return;
    if (other.exitCode === null && other.signalCode === null) await once(other, "exit");
  });
  const [assigned] = await once(createInterface(other.stdout), "line");
  assert.equal(assigned, "2");

  const problems: (Problem | undefined)[] = [];
  const partitions: number[] = [];
  const membership = await harness.log.join(
    (session) => partitions.push(...session.partitions),
    (_, problem) => problems.push(problem),
  );
  t.after(() => membership.leave());
  await until(() => problems.length > 0);
  assert.deepEqual(partitions, []);
  assert.equal(problems[0]?.code, "membership-refused");
  assert.match(
    problems[0]?.message ?? "",
    new RegExp(`group ${groupId} is used by consumers of the new group protocol`),
  );
});
