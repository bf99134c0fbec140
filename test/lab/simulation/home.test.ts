import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../../lab/simulation/encode.ts";
import { homeOf, murmur2 } from "../../../lab/simulation/home.ts";
import { createRng, guid } from "../../../lab/simulation/rng.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";

test("murmur2 gives what Kafka's Java client gives", () => {
  const known: readonly [string, number][] = [
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ];
  for (const [text, hash] of known) assert.equal(murmur2(utf8(text)), hash, text);
});

test("the checker's home partition is the registrar's", () => {
  const from = createRng("homes");
  for (let i = 0; i < 500; i++) {
    const tenantId = guid(from);
    const count = from.int(1, 50);
    assert.equal(homeOf(tenantId, count), homePartition(tenantId, count));
  }
});
