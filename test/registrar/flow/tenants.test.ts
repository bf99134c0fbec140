/** What a tenant can take, before it has a queue and after. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";
import { createTenants } from "../../../src/registrar/flow/tenants.ts";

for (const [writesPer20s, expected] of [
  [0, Number.POSITIVE_INFINITY],
  [7, 7],
] as const)
  test(`a tenant of which nothing was posted can take ${expected} at a limit of ${writesPer20s}`, (t) => {
    const { time } = createWorld(t);
    const ports = { clock: time, random: () => 0.5, observe: () => {} };
    const tenants = createTenants(ports, { ...settings, writesPer20s });
    assert.equal(tenants.capacityWithin("a", 1_000), expected);
  });
