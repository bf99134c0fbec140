/** One refusal of the application is one question to the authority, for any number of tenants. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { holdWhileRefused } from "../../../src/graph/credentials/app-hold.ts";
import type { AcquiredToken } from "../../../src/graph/credentials/token-cache.ts";
import { createManualClock } from "../manual-clock.ts";

const refused: AcquiredToken = { ok: false, reason: "application", detail: "expired" };
const ofTenant: AcquiredToken = { ok: false, reason: "credential", detail: "unknown" };
const away: AcquiredToken = { ok: false, reason: "connect", detail: "away" };
const token: AcquiredToken = { ok: true, token: "t", expiresAtWallMs: 0 };
const holdMs = 5_000;
const signal = new AbortController().signal;

function held(answers: Record<string, AcquiredToken>) {
  const clock = createManualClock();
  const asked: string[] = [];
  const source = holdWhileRefused(
    async (tenantId) => {
      asked.push(tenantId);
      return answers[tenantId] ?? answers["*"]!;
    },
    holdMs,
    clock,
  );
  const all = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => source(`tenant-${i}`, signal)));
  return { clock, asked, source, all, answers };
}

test("five hundred tenants of a refused application: one question, then one for each hold time", async () => {
  const { clock, asked, source, all } = held({ "*": refused });
  await source("first", signal);
  for (const result of await all(500)) assert.equal(result, refused);
  assert.deepEqual(asked, ["first"]);
  clock.advance(holdMs);
  for (const result of await all(500)) assert.equal(result, refused);
  assert.deepEqual(asked, ["first", "tenant-0"]);
});

test("a token for any tenant ends it for all", async () => {
  const { clock, asked, source, all, answers } = held({ "*": refused });
  await source("first", signal);
  answers["*"] = token;
  clock.advance(holdMs - 1);
  assert.equal(await source("second", signal), refused);
  clock.advance(1);
  assert.equal(await source("second", signal), token);
  for (const result of await all(3)) assert.equal(result, token);
  assert.equal(asked.length, 5);
});

for (const [what, answer] of [
  ["a tenant that is refused for a reason of its own", ofTenant],
  ["an authority that is away", away],
] as const) {
  test(`${what} does not end it, and keeps no other tenant from asking`, async () => {
    const { clock, source, answers } = held({ "*": refused });
    await source("first", signal);
    answers.odd = answer;
    clock.advance(holdMs);
    assert.equal(await source("odd", signal), answer);
    answers["*"] = token;
    assert.equal(await source("second", signal), token);
  });
}

test("without a refusal of the application, each tenant asks for itself", async () => {
  const { asked, source, all } = held({ "*": ofTenant });
  await source("first", signal);
  await all(3);
  assert.equal(asked.length, 4);
});
