import assert from "node:assert/strict";
import { test } from "node:test";
import { rolesOf } from "../../src/cli/doctor/token-roles.ts";

const token = (payload: unknown) =>
  ["{}", JSON.stringify(payload), "s"].map((part) => Buffer.from(part).toString("base64url")).join(".");

for (const [given, text, roles] of [
  ["roles", token({ aud: "x", roles: ["A.Read.All", "B.ReadWrite.All"] }), ["A.Read.All", "B.ReadWrite.All"]],
  ["a token without that claim", token({ aud: "x" }), []],
  ["roles that are not texts", token({ roles: ["A", 5, null] }), ["A"]],
  ["roles that are not a list", token({ roles: "A" }), null],
  ["a payload that is not an object", token("x"), null],
  ["a payload that is not JSON", "e30.eA.s", null],
  ["a token that is not made of three parts", "opaque", null],
] as const) {
  test(`given ${given}: ${JSON.stringify(roles)}`, () => assert.deepEqual(rolesOf(text), roles));
}
