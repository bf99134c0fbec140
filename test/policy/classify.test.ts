import assert from "node:assert/strict";
import { test } from "node:test";
import { classify, healthOf, type Verdict } from "../../src/policy/classify.ts";
import type { GraphAnswer, GraphReply, GraphSilence } from "../../src/ports.ts";

const object = {
  id: "104d7361-7361-104d-6173-4d1061734d10",
  connectorName: "c",
  machineName: "m",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
  connectorVersion: "1",
};

function answer(status: number, rest: Partial<GraphAnswer> = {}): GraphAnswer {
  return {
    kind: "answer",
    status,
    object: null,
    errorCode: "",
    errorMessage: "",
    retryAfter: null,
    requestId: null,
    date: null,
    ofBatch: false,
    ...rest,
  };
}

function silence(sent: boolean, reason: GraphSilence["reason"]): GraphSilence {
  return { kind: "silence", sent, reason, detail: "x" };
}

const table: [name: string, reply: GraphReply, kind: Verdict["kind"], health: string][] = [
  ["201 with the object", answer(201, { object }), "created", "well"],
  ["201 without a readable object", answer(201), "unknown", "ill"],
  ["409", answer(409), "conflict", "well"],
  ["429", answer(429), "throttled", "well"],
  ["503", answer(503), "unavailable", "ill"],
  ["509", answer(509), "unavailable", "ill"],
  ["500", answer(500), "unknown", "ill"],
  ["502", answer(502), "unknown", "ill"],
  ["504", answer(504), "unknown", "ill"],
  ["408", answer(408), "unknown", "ill"],
  [
    "400 InternalError",
    answer(400, { errorCode: "InternalError", errorMessage: '{"Message":"x"}' }),
    "unknown",
    "ill",
  ],
  ["400", answer(400, { errorCode: "BadRequest" }), "refused", "well"],
  [
    "400 for a tenant without licence",
    answer(400, { errorMessage: "Request not applicable to target tenant." }),
    "tenant-blocked",
    "well",
  ],
  ["422", answer(422), "refused", "well"],
  [
    "400 without the route, by code",
    answer(400, { errorCode: "No method match route template" }),
    "no-route",
    "well",
  ],
  [
    "400 without the route, by message",
    answer(400, { errorMessage: "No OData route exists that match" }),
    "no-route",
    "well",
  ],
  ["404", answer(404), "no-route", "well"],
  ["302", answer(302), "no-route", "well"],
  ["401", answer(401), "tenant-blocked", "well"],
  ["403", answer(403), "tenant-blocked", "well"],
  ["time-out", silence(true, "timeout"), "unknown", "ill"],
  ["connection refused", silence(false, "connect"), "unavailable", "ill"],
  ["token refused", silence(false, "credential"), "tenant-blocked", "neither"],
  ["secret refused", silence(false, "secret"), "secret-refused", "neither"],
];

for (const [name, reply, kind, health] of table) {
  test(`${name} is ${kind}`, () => {
    const verdict = classify(reply, 0);
    assert.equal(verdict.kind, kind);
    assert.equal(healthOf(verdict, reply), health);
  });
}

test("429 carries what Retry-After asked for, and null when it did not", () => {
  const asked = classify(answer(429, { retryAfter: "2.128" }), 0);
  assert.deepEqual([asked.kind, "afterMs" in asked && asked.afterMs], ["throttled", 2128]);
  const silent = classify(answer(429), 0);
  assert.equal("afterMs" in silent && silent.afterMs, null);
});

test("a refusal's detail is one short line", () => {
  const verdict = classify(
    answer(400, { errorCode: "BadRequest", errorMessage: `a\nb ${"x".repeat(500)}` }),
    0,
  );
  assert.ok("detail" in verdict);
  assert.match(verdict.detail, /^400 BadRequest a b x+$/);
  assert.ok(verdict.detail.length < 220);
});
