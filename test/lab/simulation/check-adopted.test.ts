/** Whose object a registered record may name: its own enrollment's, or one that belongs to none and looks alike. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../../../lab/simulation/checker.ts";
import type { Happening } from "../../../lab/simulation/history.ts";
import { makeProcessSettings } from "../../../lab/simulation/process-settings.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { generateWorkload, type Input } from "../../../lab/simulation/workload.ts";
import { decode } from "../../../src/domain/decode.ts";
import { identify } from "../../../src/domain/identity.ts";
import { registeredRecord } from "../../../src/domain/registered.ts";
import type { LogRecord } from "../../../src/ports.ts";

const settings = { ...makeProcessSettings(createRng("adopted"), false), settleMs: 15_000 };
const workload = generateWorkload(createRng("adopted"), { partitionCount: 1, activeMs: 10_000 });

/** The first input of each enrollment of one tenant. */
const [first, second] = firstInputs();

function firstInputs(): readonly Input[] {
  const found = new Map<number, Input>();
  const tenants = new Set<string>();
  for (const input of workload.inputs) {
    if (input.intent.kind !== "valid" || found.has(input.intent.identity)) continue;
    const { tenantId, isRefused } = workload.identities[input.intent.identity]!;
    if (isRefused || (tenants.size > 0 && !tenants.has(tenantId))) continue;
    tenants.add(tenantId);
    found.set(input.intent.identity, input);
  }
  return [...found.values()];
}
assert.ok(first !== undefined && second !== undefined, "the workload of this seed has two for one tenant");

const storedAt = (input: Input, offset: number): LogRecord => ({
  ...input.record,
  partition: 0,
  offset,
  timestampMs: 0,
  leaderEpoch: 0,
});

function enrollmentOf(input: Input) {
  const decoded = decode(storedAt(input, 0), () => true);
  assert.ok(decoded.ok);
  const identity = identify(decoded.enrollment.tenantId, decoded.enrollment.details);
  assert.ok(identity !== null);
  return { enrollment: decoded.enrollment, key: identity.idempotencyKey };
}

/** The first enrollment was posted twice; the second one is registered with the id of one of its objects. */
function judge(graphId: string, isFrozen: boolean): readonly string[] {
  const { enrollment, key } = enrollmentOf(first!);
  const item = { details: enrollment.details, id: null, idempotencyKey: key, clientRequestId: "r" };
  const object = (id: string) => ({ ...enrollment.details, id });
  const { tenantId } = enrollment;
  const post = (call: number): Happening => ({ kind: "post", by: "w", call, tenantId, items: [item] });
  const created = (call: number, calledAtMs: number): Happening => {
    return {
      kind: "created",
      by: "w",
      call,
      item: 0,
      calledAtMs,
      tenantId,
      object: object(`object-${call}`),
    };
  };
  const registered = (input: Input, offset: number, id: string): Happening => {
    const { enrollment: about, key: idempotencyKey } = enrollmentOf(input);
    const record = registeredRecord(0, {
      enrollment: about,
      idempotencyKey,
      object: object(id),
      outcome: "recovered",
      attempts: 0,
      graph: { requestId: null, status: null, cloud: "global" },
      source: { topic: "enrolled", partition: 0, offset },
      enrolledAt: 0,
      registeredAt: 0,
    });
    return { kind: "stored", by: "w", record: { ...record, offset, timestampMs: 0, leaderEpoch: 0 } };
  };
  const metadata = JSON.stringify({ v: 1, a: 2, c: "claim" });
  const happenings: readonly (readonly [number, Happening])[] = [
    [0, { kind: "start", by: "w", settings, rate: 1 }],
    [0, { kind: "stored", by: "installer", record: storedAt(first!, 0) }],
    [0, { kind: "stored", by: "installer", record: storedAt(second!, 1) }],
    [1, { kind: "commit", by: "w", topic: "enrolled", partition: 0, offset: 0, metadata }],
    [2, post(1)],
    ...(isFrozen ? ([[3, { kind: "paused", by: "w", how: "freeze" }]] as const) : []),
    ...(isFrozen ? ([[20_150, { kind: "resumed", by: "w" }]] as const) : []),
    [20_160, post(2)],
    [20_170, created(2, 20_160)],
    [20_180, registered(first!, 0, "object-2")],
    [20_200, created(1, 2)],
    [20_300, registered(second!, 1, graphId)],
  ];
  return check({
    entries: happenings.map(([tMs, happening]) => ({ tMs, ...happening })),
    workload,
    inputsAt: new Map([
      ["enrolled/0/0", [first!]],
      ["enrolled/0/1", [second!]],
    ]),
    defectiveTenant: null,
    defect: null,
    idsProtect: false,
    isSettled: false,
  }).violations.filter((text) => text.includes("made for identity"));
}

test("the second object that a frozen process made belongs to no enrollment: one that looks like it may take it", () => {
  assert.deepEqual(judge("object-1", true), []);
});

test("the object that an enrollment has is never another one's", () => {
  assert.equal(judge("object-2", true).length, 1);
});

test("an object that no freeze explains is never another one's", () => {
  assert.equal(judge("object-1", false).length, 1);
});
