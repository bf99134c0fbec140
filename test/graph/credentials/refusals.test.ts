/** Entra's numbers, by reach: one table, and what @azure/identity's errors become by it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { classifyCredentialError } from "../../../src/graph/credentials/failure.ts";
import { type Reach, refusals } from "../../../src/graph/credentials/refusals.ts";
import { tenantId } from "../fixtures.ts";

/** Written out once more: a number that moves from one reach to another is a change of behaviour. */
const expected: Readonly<Record<Reach, readonly number[]>> = {
  app: [
    ...[7000215, 7000216, 7000218, 7000222], // secret
    ...[700027, 700021, 700023, 700024, 700025, 50012, 50027], // certificate and assertion
    ...[50013, 70021, 700211, 700212, 700213, 7002138, 700222, 700229, 700236, 7000272], // federated
  ],
  tenant: [
    ...[700016, 7000229, 65001, 650052, 501051], // unknown, without consent
    ...[7000112, 500014], // disabled
    ...[53003, 530032, 500021], // refused by a policy
    ...[90002, 900023, 5000225, 90038, 900382, 500011, 1002012, 70011], // unknown tenant, wrong cloud
  ],
  passing: [50196, 90012, 90024, 90033, 90055],
};

test("each number has one reach", () => {
  for (const reach of Object.keys(expected) as Reach[]) {
    const found = [...refusals].filter(([, refusal]) => refusal.reach === reach).map(([number]) => number);
    assert.deepEqual(found.toSorted(), [...expected[reach]].toSorted(), reach);
  }
});

test("each says what is wrong, and what to type or do, in a whole sentence", () => {
  for (const [number, { what, fix }] of refusals) {
    assert.match(what, /^\S.*[^.]$/, String(number));
    assert.match(fix, /^[A-Z].*\.$/, String(number));
  }
});

function failureFor(number: number, error = "invalid_client", status = 401) {
  const body = JSON.stringify({ error, error_description: `AADSTS${number}: words.`, error_codes: [number] });
  const asked = {
    tenantId,
    answer: { host: "login.example:443", status, body },
    secrets: [],
    shown: " (shown)",
  };
  return classifyCredentialError(new Error("wrapped"), asked);
}

const reasons = { app: "application", tenant: "credential", passing: "connect" } as const;
for (const [number, { reach, what, fix }] of refusals) {
  test(`AADSTS${number} is ${reasons[reach]}`, () => {
    const failure = failureFor(number);
    assert.equal(failure.reason, reasons[reach]);
    assert.ok(failure.detail.includes(`AADSTS${number}`) && failure.detail.includes(what), failure.detail);
    assert.equal(failure.fix, reach === "passing" ? undefined : fix);
    // The application's refusal is every tenant's; a tenant is named only where it is its own.
    assert.equal(failure.detail.includes(tenantId), reach !== "app");
    assert.equal(failure.detail.includes("(shown)"), reach === "app");
  });
}

test("a number that is not in the table concerns the tenant, and is shown", () => {
  const failure = failureFor(123456, "invalid_request", 400);
  assert.equal(failure.reason, "credential");
  assert.match(failure.detail, /AADSTS123456, invalid_request/);
  assert.match(failure.fix ?? "", /AZURE_CLIENT_ID/);
});

test("an authority that fails has refused nothing, whatever number it gives", () => {
  for (const status of [408, 429, 500, 503])
    assert.equal(failureFor(700027, "invalid_client", status).reason, "connect");
});
