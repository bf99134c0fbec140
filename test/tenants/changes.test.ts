import assert from "node:assert/strict";
import { test } from "node:test";
import { changesBetween } from "../../src/tenants/changes.ts";
import type { Tenant } from "../../src/tenants/definition.ts";
import { runNow } from "../../src/tenants/parse.ts";

const listOf = (...tenants: Tenant[]) => new Map(tenants.map((tenant) => [tenant.tenantId, tenant]));
const none = { added: [], removed: [], paused: [], resumed: [], changed: [] };

test("two lists differ by who was added, removed, paused and resumed, and whose terms are others", () => {
  const secret = (secretFile: string) => ({ credential: { kind: "client-secret" as const, secretFile } });
  const before = listOf(
    { tenantId: "same", ...secret("a") },
    { tenantId: "gone" },
    { tenantId: "paused" },
    { tenantId: "resumed", paused: true },
    { tenantId: "moved", cloud: "global" },
    { tenantId: "limited" },
    { tenantId: "proven", ...secret("a") },
    { tenantId: "renamed", name: "A" },
  );
  const after = listOf(
    { tenantId: "same", ...secret("a"), paused: false },
    { tenantId: "paused", paused: true, writesPer20s: 1 },
    { tenantId: "resumed" },
    { tenantId: "moved", cloud: "china" },
    { tenantId: "limited", writesPer20s: 5 },
    { tenantId: "proven", ...secret("b") },
    { tenantId: "renamed", name: "B" },
    { tenantId: "new", paused: true },
  );
  assert.deepEqual(runNow(changesBetween(before, after)), {
    added: ["new"],
    removed: ["gone"],
    paused: ["paused"],
    resumed: ["resumed"],
    changed: ["paused", "moved", "limited", "proven"],
  });
  assert.deepEqual(runNow(changesBetween(after, after)), none);
});
