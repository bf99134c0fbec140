import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../emulator/random.ts";
import { countedUuids, randomUuid } from "../../src/registrar/claim.ts";

test("claims are version 4 UUIDs", () => {
  const random = seededRandom(1);
  for (let n = 0; n < 1_000; n++)
    assert.match(randomUuid(random), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
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
