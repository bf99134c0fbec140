/** The benchmark's tenants and events, and the scenarios that `bench` offers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { command } from "../../../lab/bench/command.ts";
import { scenarios } from "../../../lab/bench/run.ts";
import { backlogOf, connectorNameIn, partitionCount, tenantIds } from "../../../lab/bench/workload.ts";
import { decode } from "../../../src/domain/decode.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";

test("tenants take the partitions in turn", () => {
  const tenants = tenantIds(20);
  assert.equal(new Set(tenants).size, 20);
  assert.deepEqual(
    tenants.map((id) => homePartition(id, partitionCount)),
    tenants.map((_, i) => i % partitionCount),
  );
});

test("events are valid enrollments, each with a connector name of its own", () => {
  const tenants = tenantIds(3);
  const events = [...backlogOf(tenants, 30)];
  assert.equal(new Set(events.map(({ connectorName }) => connectorName)).size, 30);
  for (const { value, connectorName } of events) {
    const bytes = Buffer.from(value);
    const headers = [["content-type", Buffer.from("application/cloudevents+json")]] as const;
    const decoded = decode({ value: bytes, headers }, (id) => tenants.includes(id));
    assert.ok(decoded.ok, JSON.stringify(decoded));
    assert.equal(connectorNameIn(bytes), connectorName);
  }
});

test("the command offers exactly the scenarios that there are", () => {
  const option = command().options.find(({ long }) => long === "--scenario");
  assert.deepEqual(option?.argChoices, [...scenarios.map(({ name }) => name), "all"]);
});
