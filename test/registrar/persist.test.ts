import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualTime } from "../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../src/observer.ts";
import { randomUuid } from "../../src/registrar/claim.ts";
import { createPersist } from "../../src/registrar/persist.ts";

const failed = { ok: false, reason: "not yet" } as const;

test("it tries until it succeeds, with growing pauses, and reports each failure", async () => {
  const time = virtualTime();
  const events: RegistrarEvent[] = [];
  const persist = createPersist({ clock: time, random: () => 0.999, observe: (event) => events.push(event) });
  const tries: number[] = [];
  let result: string | null | undefined;
  const attempt = () => {
    tries.push(time.nowMs());
    return Promise.resolve(tries.length < 8 ? failed : ({ ok: true, value: "done" } as const));
  };
  void persist(new AbortController().signal, "positions", attempt).then((value) => {
    result = value;
  });
  await time.until("it succeeds", () => result === "done");
  const pauses = tries.slice(1).map((at, n) => at - tries[n]!);
  assert.ok(
    pauses.every((pause, n) => pause > 0 && (n === 0 || pause >= pauses[n - 1]!)),
    pauses.join(", "),
  );
  assert.ok(pauses[1]! > pauses[0]! && Math.max(...pauses) <= 5_000, pauses.join(", "));
  assert.equal(events.length, 7);
  assert.deepEqual(events[0], {
    kind: "log-failed",
    operation: "positions",
    reason: "not yet",
    retryInMs: pauses[0]!,
  });
});

test("it gives up when the signal aborts: before, in a pause, and an attempt under way counts no more", async () => {
  const time = virtualTime();
  const persist = createPersist({ clock: time, random: () => 0.5, observe: () => {} });
  const ended = new AbortController();
  const results: (string | null)[] = [];
  const slow = Promise.withResolvers<{ ok: true; value: string }>();
  void persist<string>(ended.signal, "a", () => Promise.resolve(failed)).then((value) => results.push(value));
  void persist(ended.signal, "b", () => slow.promise).then((value) => results.push(value));
  await time.rest();
  ended.abort();
  slow.resolve({ ok: true, value: "too late" });
  await time.rest();
  assert.deepEqual(results, [null, null]);
  assert.equal(await persist<string>(ended.signal, "c", () => Promise.reject(new Error("tried"))), null);
});

test("claims are version 4 UUIDs, whatever the random numbers", () => {
  for (const random of [() => 0, () => 0.5, () => 1 - Number.EPSILON, Math.random]) {
    assert.match(randomUuid(random), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test("a failure that a retry does not change is reported, and not tried again", async () => {
  const time = virtualTime();
  const problem = { code: "batch-unreadable", message: "it can't be read", fix: "skip it" };
  const told: unknown[] = [];
  let tries = 0;
  const persist = createPersist({ clock: time, random: () => 0.5, observe: () => {} }, (one) =>
    told.push(one),
  );
  const result = await persist(new AbortController().signal, "read", async () => {
    tries++;
    return { ok: false, reason: "bad", problem };
  });
  assert.deepEqual([result, tries, told], [null, 1, [problem]]);
});
