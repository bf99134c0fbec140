import assert from "node:assert/strict";
import { test } from "node:test";
import { graphAnswer } from "../../lab/simulation/graph-answer.ts";
import type { GraphReply, GraphSilence } from "../../src/graph-port.ts";
import { classify, healthOf, mayStillRun, type Verdict } from "../../src/policy/classify.ts";

const object = {
  id: "104d7361-7361-104d-6173-4d1061734d10",
  connectorName: "c",
  machineName: "m",
  enrollmentDateTime: "2016-12-31T23:57:59.3726057-08:00",
  lastCheckinDateTime: "2017-01-01T00:02:46.0431416-08:00",
  connectorVersion: "1",
};

function silence(sent: boolean, reason: GraphSilence["reason"]): GraphSilence {
  return { kind: "silence", sent, reason, detail: "x" };
}

type Row = [name: string, reply: GraphReply, kind: Verdict["kind"], health: string];
const table: Row[] = [
  ["201 with the object", graphAnswer(201, { object }), "created", "well"],
  ["200 with the object", graphAnswer(200, { object }), "created", "well"],
  ["299 with the object", graphAnswer(299, { object }), "created", "well"],
  ["300 with an object", graphAnswer(300, { object }), "unknown", "ill"],
  ["199 with an object", graphAnswer(199, { object }), "unknown", "ill"],
  ["201 without a readable object", graphAnswer(201), "unknown", "ill"],
  ["409", graphAnswer(409), "conflict", "well"],
  ["429", graphAnswer(429), "throttled", "well"],
  ["503", graphAnswer(503), "unknown", "ill"],
  ["509", graphAnswer(509), "unknown", "ill"],
  ["423", graphAnswer(423), "unknown", "ill"],
  ["500", graphAnswer(500), "unknown", "ill"],
  ["502", graphAnswer(502), "unknown", "ill"],
  ["504", graphAnswer(504), "unknown", "ill"],
  ["408", graphAnswer(408), "unknown", "ill"],
  [
    "400 InternalError",
    graphAnswer(400, { errorCode: "InternalError", errorMessage: '{"Message":"x"}' }),
    "unknown",
    "ill",
  ],
  ["400", graphAnswer(400, { errorCode: "BadRequest" }), "refused", "well"],
  [
    "400 for a tenant without licence",
    graphAnswer(400, { errorMessage: "Request not applicable to target tenant." }),
    "tenant-blocked",
    "well",
  ],
  ["422", graphAnswer(422), "refused", "well"],
  ["422 InternalError", graphAnswer(422, { errorCode: "InternalError" }), "refused", "well"],
  [
    "422 with the text for a tenant without licence",
    graphAnswer(422, { errorMessage: "Request not applicable to target tenant." }),
    "refused",
    "well",
  ],
  [
    "400 without the route, by code",
    graphAnswer(400, { errorCode: "No method match route template" }),
    "no-route",
    "well",
  ],
  [
    "400 without the route, by message",
    graphAnswer(400, { errorMessage: "No OData route exists that match" }),
    "no-route",
    "well",
  ],
  ["404", graphAnswer(404), "no-route", "well"],
  ...[406, 411, 412, 413, 414, 415, 416, 417, 431].map(
    (status): Row => [`${status}`, graphAnswer(status), "refused", "well"],
  ),
  ...[402, 407].map((status): Row => [`${status}`, graphAnswer(status), "tenant-blocked", "well"]),
  ...[405, 410, 501].map((status): Row => [`${status}`, graphAnswer(status), "no-route", "well"]),
  // None is Graph's: something in between says these, perhaps after it passed the request on.
  ...[418, 421, 424, 425, 449, 451, 460, 499].flatMap((status): Row[] => [
    [`${status}`, graphAnswer(status, { errorCode: "ClientClosedRequest" }), "unknown", "ill"],
    [`a batch answered ${status}`, graphAnswer(status, { ofBatch: true }), "unknown", "ill"],
  ]),
  ["302, from something in between", graphAnswer(302), "unknown", "ill"],
  ["400 without a code", graphAnswer(400, { errorMessage: "Bad request." }), "unknown", "ill"],
  [
    "400 with Intune's text for anything",
    graphAnswer(400, {
      errorCode: "BadRequest",
      errorMessage: "An error has occurred - Operation ID (for customer support): 00000000-0000",
    }),
    "unknown",
    "ill",
  ],
  ...[400, 404, 405, 409, 413, 415, 422].map(
    (status): Row => [
      `a batch refused with ${status}`,
      graphAnswer(status, { ofBatch: true, errorCode: "BadRequest" }),
      "batch-refused",
      "well",
    ],
  ),
  ["a batch refused with 400 and no code", graphAnswer(400, { ofBatch: true }), "batch-refused", "well"],
  ["a batch answered 429", graphAnswer(429, { ofBatch: true }), "throttled", "well"],
  ["a batch answered 401", graphAnswer(401, { ofBatch: true }), "tenant-blocked", "well"],
  ["a batch answered 503", graphAnswer(503, { ofBatch: true }), "unknown", "ill"],
  [
    "a batch answered 400 InternalError",
    graphAnswer(400, { ofBatch: true, errorCode: "InternalError" }),
    "unknown",
    "ill",
  ],
  ["401", graphAnswer(401), "tenant-blocked", "well"],
  ["403", graphAnswer(403), "tenant-blocked", "well"],
  ["time-out", silence(true, "timeout"), "unknown", "ill"],
  ["connection refused", silence(false, "connect"), "unavailable", "ill"],
  ["token refused", silence(false, "credential"), "tenant-blocked", "neither"],
  ["application refused", silence(false, "application"), "unavailable", "ill"],
];

for (const [name, reply, kind, health] of table) {
  test(`${name} is ${kind}`, () => {
    const verdict = classify(reply, 0);
    assert.equal(verdict.kind, kind);
    assert.equal(healthOf(verdict, reply), health);
  });
}

test("429 carries what Retry-After asked for, and null when it did not", () => {
  const asked = classify(graphAnswer(429, { retryAfter: "2.128" }), 0);
  assert.deepEqual([asked.kind, "afterMs" in asked && asked.afterMs], ["throttled", 2128]);
  const silent = classify(graphAnswer(429), 0);
  assert.equal("afterMs" in silent && silent.afterMs, null);
});

test("a date in Retry-After is read against the answer's own Date, not against our clock", () => {
  const retryAfter = "Thu, 01 Jan 2026 00:00:30 GMT";
  const hourAheadMs = Date.parse("2026-01-01T01:00:00Z");
  const asked = (status: number, date: string | null) => {
    const verdict = classify(graphAnswer(status, { retryAfter, date }), hourAheadMs);
    return "afterMs" in verdict ? verdict.afterMs : undefined;
  };
  for (const status of [429, 503]) {
    assert.equal(asked(status, "Thu, 01 Jan 2026 00:00:10 GMT"), 20_000);
    assert.equal(asked(status, null), 0);
    assert.equal(asked(status, "today"), 0);
  }
});

test("what a gateway answered may still run; what Graph itself answered may not", () => {
  const statuses = [100, 199, 300, 301, 399, 408, 421, 423, 424, 499, 502, 503, 504, 509];
  const may = statuses.filter((status) => mayStillRun(graphAnswer(status)));
  assert.deepEqual(may, statuses);
  assert.deepEqual(
    [200, 400, 401, 404, 409, 412, 422, 429, 500].filter((status) => mayStillRun(graphAnswer(status))),
    [],
  );
  assert.equal(mayStillRun(silence(true, "reset")), true);
});

test("only an outage spends nothing: a failure may be the record's, and a vague refusal is final in the end", () => {
  const cause = (reply: GraphReply) => {
    const verdict = classify(reply, 0);
    return verdict.kind === "unknown" ? verdict.cause : verdict.kind;
  };
  assert.deepEqual(
    [503, 423, 509, 302].map((status) => cause(graphAnswer(status))),
    Array(4).fill("outage"),
  );
  assert.deepEqual(
    [500, 502, 504, 408, 499, 201].map((status) => cause(graphAnswer(status))),
    Array(6).fill("failure"),
  );
  assert.equal(cause(graphAnswer(400)), "vague");
});

test("a refusal's detail is one short line", () => {
  const verdict = classify(
    graphAnswer(400, { errorCode: "BadRequest", errorMessage: `a\nb ${"x".repeat(500)}` }),
    0,
  );
  assert.ok("detail" in verdict);
  assert.match(verdict.detail, /^400 BadRequest a b x+$/);
  assert.ok(verdict.detail.length < 220);
  const bare = classify(graphAnswer(422), 0);
  assert.equal("detail" in bare && bare.detail, "422");
});
