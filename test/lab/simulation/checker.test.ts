import assert from "node:assert/strict";
import { test } from "node:test";
import { findLost } from "../../../lab/simulation/check-lost.ts";
import { readPauses } from "../../../lab/simulation/check-pauses.ts";
import { check } from "../../../lab/simulation/checker.ts";
import type { Entry, Happening } from "../../../lab/simulation/history.ts";
import { makeProcessSettings } from "../../../lab/simulation/process-settings.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { generateWorkload } from "../../../lab/simulation/workload.ts";
import type { CreateRequest } from "../../../src/graph-port.ts";
import type { LogRecord } from "../../../src/ports.ts";

const settings = { ...makeProcessSettings(createRng("checker"), false), settleMs: 15_000 };
const start: Happening = { kind: "start", by: "w", settings, rate: 1 };

function history(...happenings: readonly (readonly [tMs: number, Happening])[]): Entry[] {
  return happenings.map(([tMs, happening]) => ({ tMs, ...happening }));
}

function stored(offset: number, topic: LogRecord["topic"] = "enrolled"): LogRecord {
  return { topic, partition: 0, offset, key: null, value: null, headers: [], timestampMs: 0, leaderEpoch: 0 };
}

test("a create outlives the settle time only where its process stood still for that long in between", () => {
  const paused = (fromMs: number, untilMs: number): Entry[] =>
    history(
      [0, start],
      [fromMs, { kind: "paused", by: "w", how: "suspend" }],
      [untilMs, { kind: "resumed", by: "w" }],
    );
  assert.equal(
    readPauses(history([0, start])).outlives("w", 0, 20_000),
    false,
    "late, and nothing excuses it",
  );
  assert.equal(
    readPauses(paused(100, 5_000)).outlives("w", 0, 20_000),
    false,
    "it stood still, but not for long",
  );
  assert.equal(readPauses(paused(100, 19_000)).outlives("w", 0, 20_000), true);
  assert.equal(readPauses(paused(100, 19_000)).outlives("w", 0, 10_000), false, "it was not late");
  assert.equal(readPauses(paused(30_000, 60_000)).outlives("w", 0, 20_000), false, "that was afterwards");
});

test("what a process stores right after it stood still past the settle time may be older than that", () => {
  const heldBack = (fromMs: number, untilMs: number, atMs: number) =>
    readPauses(
      history(
        [0, start],
        [fromMs, { kind: "paused", by: "w", how: "suspend" }],
        [untilMs, { kind: "resumed", by: "w" }],
      ),
    ).isHeldBack("w", atMs);
  assert.equal(heldBack(100, 19_000, 19_100), true);
  assert.equal(heldBack(100, 5_000, 5_100), false, "it did not stand still for long");
  assert.equal(heldBack(100, 19_000, 29_000), false, "that was long ago");
  assert.equal(heldBack(100, 19_000, 18_000), false, "it stood still then");
});

test("what a killed process had on its way is excused past the settle time only where it sends ids", () => {
  const heldBack = (sendId: boolean, atMs: number) =>
    readPauses(
      history(
        [0, { ...start, settings: { ...start.settings, sendId } }],
        [1_000, { kind: "exit", by: "w", how: "crashed", text: "" }],
      ),
    ).isHeldBack("w", atMs);
  assert.equal(heldBack(true, 1_000 + start.settings.settleMs), true);
  assert.equal(heldBack(true, 900 + start.settings.settleMs), false, "its successors waited for that");
  assert.equal(heldBack(false, 1_000 + start.settings.settleMs), false, "without ids they wait for longer");
});

test("two objects of one enrollment are a violation, unless the process stood still past the settle time", () => {
  const workload = generateWorkload(createRng("checker"), { partitionCount: 1, activeMs: 10_000 });
  const identity = workload.identities.find(({ isRefused }) => !isRefused)!;
  const input = workload.inputs.find(
    ({ intent }) => intent.kind === "valid" && intent.identity === identity.number,
  )!;
  const record: LogRecord = { ...stored(0), ...input.record };
  const details = detailsOf(input.record);
  const item: CreateRequest = { details, id: null, idempotencyKey: "k", clientRequestId: "r" };
  const { tenantId } = identity;
  const post = (call: number): Happening => ({ kind: "post", by: "w", call, tenantId, items: [item] });
  const created = (call: number, calledAtMs: number): Happening => {
    const object = { ...details, id: `object-${call}` };
    return { kind: "created", by: "w", call, item: 0, calledAtMs, tenantId, object };
  };
  const metadata = JSON.stringify({ v: 1, a: 1, c: "claim" });
  const judge = (pause: Entry[]) =>
    check({
      entries: [
        ...history([0, start], [0, { kind: "stored", by: "installer", record }]),
        ...history([
          1,
          { kind: "commit", by: "w", topic: "enrolled", partition: record.partition, offset: 0, metadata },
        ]),
        ...history([2, post(1)]),
        ...pause,
        ...history([20_000, post(2)], [20_100, created(2, 20_000)], [20_200, created(1, 2)]),
      ],
      workload,
      inputsAt: new Map([[`enrolled/${record.partition}/0`, [input]]]),
      defectiveTenant: null,
      defect: null,
      idsProtect: false,
      isSettled: false,
    });
  const awake = judge([]);
  assert.ok(awake.violations.some((text) => text.includes("was created 2 times")));
  assert.deepEqual(awake.residue, []);
  const asleep = judge(
    history([3, { kind: "paused", by: "w", how: "freeze" }], [20_150, { kind: "resumed", by: "w" }]),
  );
  assert.deepEqual(asleep.violations, []);
  assert.equal(asleep.residue.length, 1);
});

function detailsOf({ value }: { readonly value: Uint8Array | null }): CreateRequest["details"] {
  const event = JSON.parse(new TextDecoder().decode(value!)) as { data?: CreateRequest["details"] };
  return event.data ?? (event as unknown as CreateRequest["details"]);
}

test("what the log lost is known, by retention, by an election, and with its topic", () => {
  const records = [0, 1, 2, 3].map((offset) => stored(offset));
  const parked = stored(7, "retry");
  const all = [...records, parked].map(
    (record) =>
      [0, { kind: "stored", by: "installer", record }] as const satisfies readonly [number, Happening],
  );
  const lostBy = (...happenings: Happening[]): number[] => {
    const entries = history(...all, ...happenings.map((one) => [1, one] as const));
    return [...findLost(entries)].map(({ offset }) => offset);
  };
  const lose = { kind: "log-lost", mustBeTold: true } as const;
  assert.deepEqual(lostBy(), []);
  assert.deepEqual(lostBy({ kind: "truncated", topic: "enrolled", partition: 0, start: 2 }), [0, 1]);
  assert.deepEqual(lostBy({ ...lose, topic: "enrolled", partition: 0, end: 3 }), [3]);
  assert.deepEqual(lostBy({ ...lose, topic: "retry", partition: null, end: 0 }), [7]);
});

test("a log that lost what was committed over demands a fault that names the topic", () => {
  const harm: Happening = { kind: "log-lost", topic: "enrolled", partition: 0, end: 1, mustBeTold: true };
  const told: Happening = {
    kind: "exit",
    by: "w",
    how: "fault",
    text: "retention-gap: enrolled partition 0: ...",
  };
  const crashed: Happening = { kind: "exit", by: "w", how: "crashed", text: "enrolled" };
  const judge = (...entries: Entry[]): readonly string[] =>
    check({
      entries: [...history([0, start]), ...entries],
      workload: generateWorkload(createRng("told"), { partitionCount: 1, activeMs: 10_000 }),
      inputsAt: new Map(),
      defectiveTenant: null,
      defect: null,
      idsProtect: false,
      isSettled: true,
    }).violations;
  const silent = ["the end of enrolled/0 was lost, and no worker said so"];
  assert.deepEqual(judge(...history([5, harm])), silent);
  assert.deepEqual(judge(...history([4, told], [5, harm], [6, crashed])), silent);
  assert.deepEqual(judge(...history([5, harm], [6, told])), []);
});
