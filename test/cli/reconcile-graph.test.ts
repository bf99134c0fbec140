import assert from "node:assert/strict";
import { test } from "node:test";
import { graphAnswer } from "../../lab/simulation/graph-answer.ts";
import { documentedDetails } from "../../lab/testkit/samples.ts";
import { listWithRetry } from "../../src/cli/reconcile/ask-graph.ts";
import { removeAll } from "../../src/cli/reconcile/fix.ts";
import type { Graph, ListReply } from "../../src/graph-port.ts";
import type { Clock } from "../../src/ports.ts";

const kept = { id: "kept", ...documentedDetails };

/** Replies in order, and time that passes when it is waited for. */
function parts(graph: Partial<Graph>, signal = new AbortController().signal) {
  const waitsMs: number[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    after(delayMs, callback) {
      waitsMs.push(delayMs);
      queueMicrotask(callback);
      return () => {};
    },
  };
  return { waitsMs, ask: { graph: graph as Graph, clock, random: () => 0.5, signal } };
}

function lists(...replies: ListReply[]): Pick<Graph, "list"> {
  return { list: async () => replies.shift()! };
}

test("429 is waited out as asked, then the list counts", async () => {
  const { ask, waitsMs } = parts(
    lists(graphAnswer(429, { retryAfter: "2.5" }), { kind: "listed", objects: [kept], incomplete: null }),
  );
  assert.deepEqual(await listWithRetry(ask, "t", false), {
    kind: "listed",
    objects: [kept],
    incomplete: null,
  });
  assert.deepEqual(waitsMs, [2500]);
});

test("a wait of more than a minute, and the fifth refusal, are reported instead", async () => {
  const long = parts(lists(graphAnswer(429, { retryAfter: "61", errorCode: "TooManyRequests" })));
  const reply = await listWithRetry(long.ask, "t", false);
  assert.deepEqual(reply, { kind: "failed", detail: "429 TooManyRequests (asks to come back in 61 s)" });
  assert.deepEqual(long.waitsMs, []);

  const down = parts(lists(...Array.from({ length: 9 }, () => graphAnswer(503))));
  assert.deepEqual(await listWithRetry(down.ask, "t", false), {
    kind: "failed",
    detail: "503 (asked 5 times)",
  });
  assert.equal(down.waitsMs.length, 4);
});

test("an interrupt ends the wait", async () => {
  const { ask } = parts(lists(graphAnswer(503)), AbortSignal.abort());
  assert.deepEqual(await listWithRetry(ask, "t", false), { kind: "failed", detail: "interrupted" });
});

test("404 is an empty list only where nothing was ever registered", async () => {
  const unknown = () => parts(lists(graphAnswer(404))).ask;
  assert.deepEqual(await listWithRetry(unknown(), "t", true), {
    kind: "listed",
    objects: [],
    incomplete: null,
  });
  assert.deepEqual(await listWithRetry(unknown(), "t", false), { kind: "failed", detail: "404" });
});

test("nothing is deleted once the registered object is gone", async () => {
  const deleted: string[] = [];
  const { ask } = parts({
    get: async (_, id) => (id === "kept" ? graphAnswer(200, { object: kept }) : graphAnswer(404)),
    remove: async (_, id) => {
      deleted.push(id);
      return graphAnswer(204);
    },
  });
  const { removed, failures } = await removeAll(ask, [
    { tenantId: "t", registeredId: "gone", id: "a" },
    { tenantId: "t", registeredId: "kept", id: "b" },
  ]);
  assert.deepEqual([deleted, removed], [["b"], [{ tenantId: "t", id: "b" }]]);
  assert.equal(failures.length, 1);
  assert.match(
    failures[0]!,
    /^a of tenant t was not deleted: the registered object gone does not answer: 404/,
  );
});
