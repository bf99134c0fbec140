import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, tenantId } from "../../lab/testkit/samples.ts";
import { replayedFrom, tenantOfKey } from "../../src/domain/replayed-from.ts";

test("the last header that says so names the dead letter", () => {
  assert.equal(replayedFrom({ headers: [] }), null);
  assert.equal(replayedFrom({ headers: [["replayed-from", null]] }), null);
  const headers = ["enrolled/0/1", "enrolled/0/2"].map((id) => ["replayed-from", bytes(id)] as const);
  assert.equal(replayedFrom({ headers: [...headers, ["other", bytes("x")]] }), "enrolled/0/2");
});

test("a record key that is a GUID is the tenant's, in lower case", () => {
  assert.equal(tenantOfKey({ key: bytes(tenantId.toUpperCase()) }), tenantId);
  for (const key of [null, bytes(""), bytes(`${tenantId} `), bytes("x".repeat(36)), new Uint8Array(36)])
    assert.equal(tenantOfKey({ key }), null);
});
