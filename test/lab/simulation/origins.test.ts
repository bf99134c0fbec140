import assert from "node:assert/strict";
import { test } from "node:test";
import { inputAt, placeOf } from "../../../lab/simulation/origins.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { generateWorkload } from "../../../lab/simulation/workload.ts";

test("of two inputs of the same bytes at the same place, before and after the topic was made again, the newest one counts", () => {
  const first = generateWorkload(createRng("origins"), 1, 10_000).inputs[0]!;
  const second = { ...first };
  const record = { ...first.record, offset: 3, timestampMs: 0, leaderEpoch: 0 };
  const place = placeOf(record);
  const inputsAt = new Map([[place, [first, second]]]);
  const found = [1, 2].map((arrived) => inputAt(place, record, inputsAt, new Map([[place, arrived]])));
  assert.ok(found[0] === first && found[1] === second);
  assert.ok(inputAt(place, record, inputsAt) === second, "asked at the end");
});
