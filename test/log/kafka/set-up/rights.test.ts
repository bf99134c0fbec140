/** What follows from the rights that a broker reports. The rights themselves: acls.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterConnection } from "../../../../src/log/kafka/cluster/cluster-connection.ts";
import { grantOnGroup } from "../../../../src/log/kafka/set-up/advice.ts";
import { checkRights, lackingIn } from "../../../../src/log/kafka/set-up/rights.ts";

const [read, write, describe] = [1 << 3, 1 << 4, 1 << 8];
const check = { brokers: ["broker:9092"], topicPrefix: "", groupId: "g" };

test("what is wanted and not among the operations is lacking", () => {
  assert.deepEqual(lackingIn(describe | read, ["Read", "Write"]), ["Write"]);
  assert.deepEqual(lackingIn(describe, ["Read", "Write"]), ["Read", "Write"]);
  assert.deepEqual(lackingIn(describe | read | write, ["Read", "Write"]), []);
});

test("a broker that does not tell, or tells what can't be, lacks nothing", () => {
  for (const operations of [-(2 ** 31), 0, read]) assert.deepEqual(lackingIn(operations, ["Write"]), []);
});

test("brokers that are too old to tell are not asked, nor is Event Hubs", async () => {
  const broker = {
    versions: { 3: { minVersion: 0, maxVersion: 7 }, 15: { minVersion: 0, maxVersion: 2 } },
    send: () => assert.fail("asked"),
  };
  const old = { controller: async () => broker, coordinator: async () => broker };
  assert.deepEqual(await checkRights(old as unknown as ClusterConnection, check), []);
  const none = { controller: () => assert.fail("asked"), coordinator: () => assert.fail("asked") };
  const eventHubs = { ...check, flavor: "event-hubs" as const };
  assert.deepEqual(await checkRights(none as unknown as ClusterConnection, eventHubs), []);
});

test("a coordinator that is elsewhere is asked; one that can't be found is skipped", async () => {
  const versions = { 15: { minVersion: 0, maxVersion: 5 } };
  const answering = (errorCode: number, operations: number) => ({
    versions,
    send: async () => ({ errorCode, operations }),
  });
  const codesFrom = async (coordinator: () => Promise<unknown>) => {
    const cluster = { controller: async () => answering(16, 0), coordinator };
    const found = await checkRights(cluster as unknown as ClusterConnection, check);
    return found.map(({ message }) => message.split(":")[0]);
  };
  const lacking = ["this client lacks the operation Read on group g"];
  assert.deepEqual(await codesFrom(async () => answering(0, describe)), lacking);
  assert.deepEqual(await codesFrom(async () => answering(30, 0)), lacking);
  assert.deepEqual(await codesFrom(async () => answering(0, describe | read)), []);
  assert.deepEqual(await codesFrom(async () => Promise.reject(new Error("none found"))), []);
});

test("a group's name is quoted where a shell would not take it as it is", () => {
  const target = { brokers: ["broker:9092"], topicPrefix: "" };
  assert.match(grantOnGroup(target, "Read", "my-group.1"), / --operation Read --group my-group\.1$/);
  assert.ok(grantOnGroup(target, "Read", "it's *").endsWith(String.raw` --group 'it'\''s *'`));
});
