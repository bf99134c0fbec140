/** Hostile bodies, headers, paths and tokens: never a 500, never a crash. `npm run fuzz` sends as many as one likes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runFuzz } from "../../lab/fuzz/run.ts";

const seed = Date.now() % 1_000_000;
const options = { seed, connections: 32, signal: new AbortController().signal, onProgress: () => {} };

test(`hostile requests, seed ${seed}`, { timeout: 120_000 }, async (t) => {
  const { sent, statuses, stored, problems } = await runFuzz({ ...options, count: 1_500 });
  assert.deepEqual(problems, []);
  assert.equal(sent, 1_500);
  t.diagnostic(`${stored} events stored: ${JSON.stringify(statuses)}`);
  assert.ok(stored > 0 && (statuses[202] ?? 0) > 0 && (statuses[400] ?? 0) > 0 && (statuses[401] ?? 0) > 0);
});

test("a service that fails at a request is found, with the request and what the service said of it", async () => {
  const isTenantAllowed = () => {
    throw new Error("on purpose");
  };
  const { statuses, problems } = await runFuzz({ ...options, count: 200, parts: { isTenantAllowed } });
  assert.ok((statuses[500] ?? 0) > 0);
  assert.match(problems.join("\n"), /^500: POST \/events/m);
  assert.match(problems.join("\n"), /on purpose/);
});
