import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../emulator/random.ts";
import { countedUuids, randomUuid } from "../../src/registrar/claim.ts";

test("claims are version 4 UUIDs, no two the same, and every digit of them is drawn", () => {
  const random = seededRandom(1);
  const claims = Array.from({ length: 1_000 }, () => randomUuid(random));
  for (const claim of claims)
    assert.match(claim, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(claims).size, claims.length);
  for (let at = 0; at < 36; at++) {
    const digits = new Set(claims.map((claim) => claim[at]));
    const expected = [8, 13, 18, 23, 14].includes(at) ? 1 : at === 19 ? 4 : 16;
    assert.equal(digits.size, expected, `at ${at}`);
  }
});

test("counted UUIDs are of version 8, differ, and share what tells one worker from another", () => {
  const random = seededRandom(1);
  const [one, other] = [countedUuids(random), countedUuids(random)];
  const ids = Array.from({ length: 70_000 }, one);
  for (const id of ids)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual([...new Set(ids.map((id) => id.slice(0, 24)))], [ids[0]!.slice(0, 24)]);
  assert.notEqual(other().slice(0, 24), ids[0]!.slice(0, 24));
});
