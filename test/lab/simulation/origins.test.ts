import assert from "node:assert/strict";
import { test } from "node:test";
import { inputAt, inputsAndCopies, placeOf } from "../../../lab/simulation/origins.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { generateWorkload } from "../../../lab/simulation/workload.ts";
import type { LogRecord } from "../../../src/ports.ts";

test("of two inputs of the same bytes at the same place, before and after the topic was made again, the newest one counts", () => {
  const first = generateWorkload(createRng("origins"), { partitionCount: 1, activeMs: 10_000 }).inputs[0]!;
  const second = { ...first };
  const record = { ...first.record, offset: 3, timestampMs: 0, leaderEpoch: 0 };
  const place = placeOf(record);
  const inputsAt = new Map([[place, [first, second]]]);
  const found = [1, 2].map((arrived) =>
    inputAt(place, record, { inputsAt, arrived: new Map([[place, arrived]]) }),
  );
  assert.ok(found[0] === first && found[1] === second);
  assert.ok(inputAt(place, record, { inputsAt }) === second, "asked at the end");
});

test("inputs of one place are in the order in which they were stored there, copies of a worker among them", () => {
  const input = generateWorkload(createRng("origins"), { partitionCount: 1, activeMs: 10_000 }).inputs[0]!;
  const later = { ...input };
  const at = (offset: number) => ({ ...input.record, offset, timestampMs: 0, leaderEpoch: 0 });
  const origin = ["origin", new TextEncoder().encode(placeOf(at(1)))] as const;
  const copy = { ...at(3), headers: [...input.record.headers, origin] };
  const inputsAt = new Map([
    [placeOf(at(1)), [input]],
    [placeOf(at(3)), [later]],
  ]);
  const stored = (by: string, record: LogRecord) => ({ tMs: 0, kind: "stored" as const, by, record });
  const entries = [stored("installer", at(1)), stored("w0.0", copy), stored("installer", at(3))];
  const [first, second] = inputsAndCopies(entries, inputsAt).get(placeOf(at(3)))!;
  assert.ok(first !== later && second === later);
});
