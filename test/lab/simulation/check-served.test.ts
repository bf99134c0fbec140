/** When a record may be refused for its tenant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../../../lab/simulation/checker.ts";
import type { Happening } from "../../../lab/simulation/history.ts";
import { placeOf } from "../../../lab/simulation/origins.ts";
import { makeProcessSettings } from "../../../lab/simulation/process-settings.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { generateWorkload, type Input } from "../../../lab/simulation/workload.ts";
import { deadLetterRecord } from "../../../src/domain/dead-letter.ts";
import { decode } from "../../../src/domain/decode.ts";
import { identify } from "../../../src/domain/identity.ts";
import type { LogRecord, NewRecord, Standing } from "../../../src/ports.ts";

const settings = { ...makeProcessSettings(createRng("served"), false), settleMs: 15_000 };
const workload = generateWorkload(createRng("served"), { partitionCount: 1, activeMs: 10_000 });
const input = workload.inputs.find(
  ({ intent }) => intent.kind === "valid" && !workload.identities[intent.identity]!.isRefused,
);
assert.ok(input !== undefined, "the workload of this seed has a valid record");

const at = (record: NewRecord, offset: number): LogRecord => ({
  ...record,
  partition: 0,
  offset,
  timestampMs: 0,
  leaderEpoch: 0,
});

/** The same enrollment came twice. The first record is refused while its tenant is not listed, the second one creates. */
function judge(
  letters: "once before the create" | "before and after it" | "only after it",
): readonly string[] {
  const { record } = input as Input;
  const [first, second] = [at(record, 0), at(record, 1)];
  const decoded = decode(first, () => true);
  assert.ok(decoded.ok);
  const { tenantId, details } = decoded.enrollment;
  const { idempotencyKey } = identify(tenantId, details)!;
  const letter = deadLetterRecord(0, first, {
    refusal: { code: "tenant-not-allowed", message: "no", pointers: [] },
    attempts: 0,
    at: first,
    timeMs: 0,
    requestId: null,
  });
  const tenants = (standing: Standing): Happening => ({
    kind: "tenants",
    by: "w",
    standings: new Map([[tenantId, standing]]),
  });
  const refused = (offset: number): Happening => ({ kind: "stored", by: "w", record: at(letter, offset) });
  const item = { details, id: null, idempotencyKey, clientRequestId: "r" };
  const object = { ...details, id: "object" };
  const happenings: readonly Happening[] = [
    { kind: "start", by: "w", settings, rate: 1 },
    { kind: "stored", by: "installer", record: first },
    { kind: "stored", by: "installer", record: second },
    tenants("unlisted"),
    ...(letters === "only after it" ? [] : [refused(0)]),
    tenants("served"),
    {
      ...{ kind: "commit", by: "w", topic: "enrolled", partition: 0, offset: 0 },
      metadata: JSON.stringify({ v: 1, a: 2, c: "claim" }),
    },
    { kind: "post", by: "w", call: 1, tenantId, items: [item] },
    { kind: "created", by: "w", call: 1, item: 0, calledAtMs: 7, tenantId, object },
    ...(letters === "once before the create" ? [] : [refused(1)]),
  ];
  return check({
    entries: happenings.map((happening, tMs) => ({ tMs, ...happening })),
    workload,
    inputsAt: new Map([
      [placeOf(first), [input as Input]],
      [placeOf(second), [{ ...(input as Input) }]],
    ]),
    defectiveTenant: null,
    defect: null,
    idsProtect: false,
    isSettled: false,
  }).violations.filter((text) => text.includes("is refused for its tenant"));
}

test("a record is not refused for its tenant once an object was made for its enrollment", () => {
  assert.match(judge("only after it").join("\n"), /object was made for it by a create of 7 ms$/);
});

test("a dead letter of an earlier refusal may come a second time, after another record of the enrollment made an object", () => {
  assert.deepEqual(judge("once before the create"), []);
  assert.deepEqual(judge("before and after it"), []);
});
