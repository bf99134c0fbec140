import assert from "node:assert/strict";
import { test } from "node:test";
import { demoTenants, planDemo } from "../../demo/plan.ts";
import { badKinds, badRecord } from "../../src/cli/samples/bad-records.ts";
import { enrollmentRecord } from "../../src/cli/samples/enrollment-event.ts";
import { duplicateOf, sampleEnrollment } from "../../src/cli/samples/enrollments.ts";
import { randomUuid, seededRandom, shuffle } from "../../src/cli/samples/random.ts";
import { decode } from "../../src/domain/decode.ts";
import { identify } from "../../src/domain/identity.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import type { NewRecord } from "../../src/ports.ts";

const random = seededRandom(7);
const tenants = [randomUuid(random), randomUuid(random)];
const strange = randomUuid(random);
const isAllowed = (tenantId: string) => tenants.includes(tenantId);

function keyOf(record: NewRecord): string {
  const decoded = decode(record, isAllowed);
  assert.ok(decoded.ok, JSON.stringify(decoded));
  return identify(decoded.enrollment.tenantId, decoded.enrollment.details)!.idempotencyKey;
}

test("samples are valid and distinct in both modes, duplicates share the identity under another event id", () => {
  const keys = new Set<string>();
  for (let index = 0; index < 500; index++) {
    const event = sampleEnrollment(index, tenants, random);
    const again = duplicateOf(event, random);
    const key = keyOf(enrollmentRecord(event, "structured", 8));
    assert.equal(keyOf(enrollmentRecord(event, "binary", 8)), key);
    assert.equal(keyOf(enrollmentRecord(again, "binary", 8)), key);
    assert.notEqual(again.id, event.id);
    keys.add(key);
  }
  assert.equal(keys.size, 500);
});

for (const kind of badKinds) {
  test(`bad kind: ${kind.name} is refused, whatever the sample`, () => {
    for (let index = 0; index < 10; index++) {
      const record = badRecord(kind, sampleEnrollment(index, tenants, random), {
        strangeTenant: strange,
        partitionCount: 8,
      });
      assert.equal(decode(record, isAllowed).ok, false);
    }
  });
}

test("the plan holds what it says, each record in its tenant's partition, the same for the same seed", () => {
  const made = (seed: number, events = 200) =>
    planDemo(events, seed, 8).records.map((planned) => planned.make());
  const plan = planDemo(200, 3, 8);
  const records = made(3);
  assert.equal(plan.enrollments.length, 200);
  assert.equal(plan.duplicates, 20);
  assert.equal(plan.bad, badKinds.length);
  assert.equal(plan.records.filter(({ isBad }) => isBad).length, badKinds.length);
  assert.equal(records.length, 200 + 20 + badKinds.length);
  for (const { key, partition } of records) {
    assert.equal(partition, homePartition(Buffer.from(key!).toString(), 8));
  }
  assert.deepEqual(made(3), records);
  assert.notDeepEqual(made(4), records);
  assert.equal(planDemo(2_000, 3, 8).bad, 100);
  const binary = records.filter(({ headers }) => headers.some(([name]) => name === "ce_id")).length;
  assert.ok(binary > 50 && binary < 170, `${binary} in binary mode`);
});

test("the demo's tenants are those of its plan", () => {
  const tenants = new Set(demoTenants(2_000, 3));
  assert.equal(tenants.size, 20);
  assert.ok(planDemo(2_000, 3, 8).enrollments.every(({ tenantId }) => tenants.has(tenantId)));
});

test("shuffle keeps all items", () => {
  assert.deepEqual(shuffle([1, 2, 3, 4, 5], random).sort(), [1, 2, 3, 4, 5]);
});
