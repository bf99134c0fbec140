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
import { movedRecord } from "../../../src/domain/origin.ts";
import { registeredRecord } from "../../../src/domain/registered.ts";
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

const { record } = input;
const [first, second] = [at(record, 0), at(record, 1)];
const decoded = decode(first, () => true);
assert.ok(decoded.ok);
const { enrollment } = decoded;
const { tenantId, details } = enrollment;
const { idempotencyKey } = identify(tenantId, details)!;
const object = { ...details, id: "object" };

const stored = (by: string, what: LogRecord): Happening => ({ kind: "stored", by, record: what });
const started = (by: string): Happening => ({ kind: "start", by, settings, rate: 1 });
const serves = (by: string, standing: Standing): Happening => {
  return { kind: "tenants", by, standings: new Map([[tenantId, standing]]) };
};
const letter = deadLetterRecord(0, first, {
  refusal: { code: "tenant-not-allowed", message: "no", pointers: [] },
  attempts: 0,
  at: first,
  timeMs: 0,
  requestId: null,
});
/** A commit that allows the create, and the create. */
const creates = (by: string, calledAtMs: number): readonly Happening[] => [
  {
    ...{ kind: "commit", by, topic: "enrolled", partition: 0, offset: 0 },
    metadata: JSON.stringify({ v: 1, a: 2, c: "claim" }),
  },
  {
    ...{ kind: "post", by, call: 1, tenantId },
    items: [{ details, id: null, idempotencyKey, clientRequestId: "r" }],
  },
  { kind: "created", by, call: 1, item: 0, calledAtMs, tenantId, object },
];

function judge(happenings: readonly Happening[], about: string): readonly string[] {
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
  }).violations.filter((text) => text.includes(about));
}

/** The same enrollment came twice. The first record is refused while its tenant is not listed, the second one creates. */
function refusedAround(letters: "once before the create" | "before and after it" | "only after it") {
  const happenings = [
    started("w"),
    stored("installer", first),
    stored("installer", second),
    serves("w", "unlisted"),
    ...(letters === "only after it" ? [] : [stored("w", at(letter, 0))]),
    serves("w", "served"),
    ...creates("w", 7),
    ...(letters === "once before the create" ? [] : [stored("w", at(letter, 1))]),
  ];
  return judge(happenings, "is refused for its tenant");
}

/** One worker parks the record, and refuses it from its copy; then `by` registers it. */
function registeredAfterRefusal({ copies, by }: { readonly copies: number; readonly by: string }) {
  const ledger = registeredRecord(0, {
    ...{ enrollment, idempotencyKey, object, outcome: "created", attempts: 1 },
    graph: { requestId: null, status: 201, cloud: "global" },
    source: first,
    enrolledAt: 0,
    registeredAt: 0,
  });
  const parked = Array.from({ length: copies }, (_, n) =>
    stored("w1", at(movedRecord(first, { topic: "retry", partition: 0, key: first.key }), n)),
  );
  const happenings = [
    ...[started("w1"), started("w2"), stored("installer", first), ...parked],
    ...[serves("w1", "unlisted"), stored("w1", at(letter, 0))],
    ...[serves("w1", "served"), serves("w2", "served"), ...creates(by, 10)],
    stored(by, at(ledger, 0)),
  ];
  return judge(happenings, "was refused for its tenant");
}

test("a record is not refused for its tenant once an object was made for its enrollment", () => {
  assert.match(refusedAround("only after it").join("\n"), /object was made for it by a create of 7 ms$/);
});

test("a dead letter of an earlier refusal may come a second time, after another record of the enrollment made an object", () => {
  assert.deepEqual(refusedAround("once before the create"), []);
  assert.deepEqual(refusedAround("before and after it"), []);
});

test("a record that was refused for its tenant is not registered as well", () => {
  assert.equal(registeredAfterRefusal({ copies: 1, by: "w2" }).length, 1);
  assert.equal(registeredAfterRefusal({ copies: 2, by: "w1" }).length, 1);
});

test("of two copies in the retry topic another worker may register one, though the first was refused", () => {
  assert.deepEqual(registeredAfterRefusal({ copies: 2, by: "w2" }), []);
});
