import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { documentedDetails, tenantId } from "../../lab/testkit/samples.ts";
import { foldMachineName, identify } from "../../src/domain/identity.ts";
import { uuidV5In } from "../../src/domain/uuid.ts";
import { formatTicks } from "./date-time-oracle.ts";

const machine = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });
const instant = fc.bigInt(621_355_968_000_000_000n, 640_000_000_000_000_000n);
const offsetMinutes = fc.integer({ min: -840, max: 840 });

/** Keys are stored in the audit topic and in Graph: this one may never change. */
test("the documented example has the key that it always had", () => {
  assert.equal(identify(tenantId, documentedDetails)?.idempotencyKey, "f487e39c-d473-557c-bb6a-2a0c16a317bd");
});

test("the namespace is what its comment says, and the canonical form is a JSON array", () => {
  const namespace = uuidV5In("6ba7b811-9dad-11d1-80b4-00c04fd430c8")("connector-registrar:enrollment");
  const canonical = `["${tenantId}","MACHINE NAME VALUE","Connector Name value","636188542793726057"]`;
  assert.equal(identify(tenantId, documentedDetails)?.idempotencyKey, uuidV5In(namespace)(canonical));
});

test("without an instant there is no identity", () => {
  assert.equal(identify(tenantId, { ...documentedDetails, enrollmentDateTime: "2017-01-01T00:00:00" }), null);
});

test("folding twice changes nothing, for each character there is", () => {
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    const once = foldMachineName(`a${String.fromCodePoint(codePoint)}`);
    if (foldMachineName(once) !== once) assert.fail(`U+${codePoint.toString(16)} folds further`);
  }
});

test("folding twice changes nothing, and case doesn't matter, for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), (name) => {
      const folded = foldMachineName(name);
      assert.equal(foldMachineName(folded), folded);
      assert.equal(foldMachineName(name.toLowerCase()), folded);
      assert.equal(foldMachineName(name.toUpperCase()), folded);
    }),
    { numRuns: 20_000 },
  );
});

test("the same instant at another offset, in another case of machine or tenant: same key, same lane", () => {
  fc.assert(
    fc.property(
      fc.record({
        tenant: fc.uuid(),
        name: machine,
        ticks: instant,
        here: offsetMinutes,
        there: offsetMinutes,
      }),
      ({ tenant, name, ticks, here, there }) => {
        const connectorName = "c";
        const first = identify(tenant, {
          machineName: name.toLowerCase(),
          connectorName,
          enrollmentDateTime: formatTicks(ticks, here)!,
        });
        const second = identify(tenant.toUpperCase(), {
          machineName: name.toUpperCase(),
          connectorName,
          enrollmentDateTime: formatTicks(ticks, there)!,
        });
        assert.deepEqual(first, second);
      },
    ),
    { numRuns: 5_000 },
  );
});

test("any other tenant, machine, connector name or instant: another key", () => {
  // Few and short values with quotes and separators, so that parts that run into each other would meet.
  const part = fc.string({ unit: fc.constantFrom("a", "b", '"', ",", "\\", "\0"), maxLength: 4 });
  const parts = fc.record({ tenant: part, machineName: part, connectorName: part, ticks: fc.bigInt(0n, 3n) });
  const keyOf = ({
    tenant,
    machineName,
    connectorName,
    ticks,
  }: typeof parts extends fc.Arbitrary<infer T> ? T : never) =>
    identify(tenant, { machineName, connectorName, enrollmentDateTime: formatTicks(ticks, 0)! })!
      .idempotencyKey;
  fc.assert(
    fc.property(parts, parts, (left, right) => {
      const isSame =
        left.tenant === right.tenant &&
        left.machineName === right.machineName &&
        left.connectorName === right.connectorName &&
        left.ticks === right.ticks;
      assert.equal(keyOf(left) === keyOf(right), isSame);
    }),
    { numRuns: 20_000 },
  );
});

test("one tick more, or one letter of the connector name in the other case, is another key", () => {
  fc.assert(
    fc.property(instant, offsetMinutes, (ticks, offset) => {
      const at = (moment: bigint, connectorName: string) =>
        identify(tenantId, {
          machineName: "m",
          connectorName,
          enrollmentDateTime: formatTicks(moment, offset)!,
        })!.idempotencyKey;
      assert.notEqual(at(ticks, "c"), at(ticks + 1n, "c"));
      assert.notEqual(at(ticks, "c"), at(ticks, "C"));
    }),
  );
});

test("one lane for each tenant and machine, whatever the connector and instant", () => {
  const lane = (tenant: string, details: Partial<typeof documentedDetails>) =>
    identify(tenant, { ...documentedDetails, ...details })?.lane;
  assert.equal(lane(tenantId, {}), `${tenantId}\0MACHINE NAME VALUE`);
  assert.equal(
    lane(tenantId, { connectorName: "other", enrollmentDateTime: "2020-01-01T00:00:00Z" }),
    lane(tenantId, {}),
  );
  assert.notEqual(lane(tenantId, { machineName: "other" }), lane(tenantId, {}));
  assert.notEqual(lane("104d7361-7361-104d-6173-4d1061734d10", {}), lane(tenantId, {}));
});
