/** What counts as the outcome of a record at a place where the log lost another one, or the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../../../lab/simulation/checker.ts";
import type { Happening } from "../../../lab/simulation/history.ts";
import { placeOf } from "../../../lab/simulation/origins.ts";
import { makeProcessSettings } from "../../../lab/simulation/process-settings.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { generateWorkload, type Input } from "../../../lab/simulation/workload.ts";
import { deadLetterRecord } from "../../../src/domain/dead-letter.ts";
import type { LogRecord, NewRecord } from "../../../src/ports.ts";

const workload = generateWorkload(createRng("b"), { partitionCount: 1, activeMs: 10_000 });
const refused = workload.inputs.find(({ intent }) => intent.kind === "bad");
assert.ok(refused !== undefined, "the workload of this seed has a record that is refused");
const another: Input = {
  ...refused,
  record: { ...refused.record, value: new TextEncoder().encode("other") },
};

const at = (record: NewRecord, offset: number): LogRecord => ({
  ...record,
  offset,
  timestampMs: 0,
  leaderEpoch: 0,
});

/** The first record is dead-lettered; then the log loses it, and `next` comes to stand in its place; a commit passes that. */
function judge(next: Input): readonly string[] {
  const first = at(refused!.record, 0);
  const second = at(next.record, 0);
  const letter = deadLetterRecord(0, first, {
    refusal: { code: "value-not-json", message: "no", pointers: [] },
    attempts: 0,
    at: first,
    timeMs: 0,
    requestId: null,
  });
  const settings = makeProcessSettings(createRng("outcomes"), false);
  const commit = (offset: number): Happening => {
    const metadata = JSON.stringify({ v: 1, a: 1, c: "claim" });
    return { kind: "commit", by: "w", topic: "enrolled", partition: 0, offset, metadata };
  };
  const happenings: readonly Happening[] = [
    { kind: "start", by: "w", settings, rate: 1 },
    { kind: "stored", by: "installer", record: first },
    { kind: "stored", by: "w", record: at(letter, 0) },
    { kind: "log-lost", topic: "enrolled", partition: 0, end: 0, mustBeTold: true },
    { kind: "exit", by: "w", how: "fault", text: "retention-gap: enrolled partition 0: ..." },
    { kind: "stored", by: "installer", record: second },
    commit(0),
    commit(1),
  ];
  return check({
    entries: happenings.map((happening, tMs) => ({ tMs, ...happening })),
    workload,
    inputsAt: new Map([[placeOf(first), [refused!, next]]]),
    defectiveTenant: null,
    defect: null,
    idsProtect: false,
    isSettled: true,
  }).violations;
}

test("the dead letter of a record that the log lost is the outcome of the same record in its place", () => {
  assert.deepEqual(judge({ ...refused }), []);
});

test("it is not an outcome of another record in its place", () => {
  const found = judge(another);
  assert.ok(
    found.some((text) => text.includes("enrolled/0/0 has no outcome yet")),
    found.join("\n"),
  );
  assert.ok(
    found.some((text) => text.includes("has no dead letter")),
    found.join("\n"),
  );
});
