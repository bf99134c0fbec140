import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnswerFault, type BatchFault, type Faults, faultProfile } from "../../emulator/faults.ts";
import { newGraphState, perform } from "../../emulator/graph.ts";
import { seededRandom } from "../../emulator/random.ts";
import type { GraphRequest } from "../../emulator/request.ts";
import { defaultBehaviour, type GraphBehaviour } from "../../emulator/settings.ts";
import { callOf, example, tenantA, tenantB } from "./support.ts";

const path = "/deviceManagement/certificateConnectorDetails";
const id = "104d7361-7361-104d-6173-4d1061734d10";

interface Asking {
  readonly fault?: AnswerFault | BatchFault | null;
  readonly nowMs?: number;
  readonly tenant?: string;
}

function graphWith(behaviour: Partial<GraphBehaviour> = {}, faults: Partial<Faults> = {}) {
  const state = newGraphState({ ...defaultBehaviour, ...behaviour }, { ...faultProfile("none"), ...faults });
  const random = seededRandom(5);
  const ask = (asked: Partial<GraphRequest>, { fault = null, nowMs = 0, tenant = tenantA }: Asking = {}) => {
    const request = {
      method: "GET",
      path,
      query: "",
      contentType: "application/json",
      body: undefined,
      ...asked,
    };
    const reply = perform(state, { call: callOf(tenant, nowMs, random), request }, fault);
    // biome-ignore lint/suspicious/noExplicitAny: bodies of any shape
    return { ...reply, body: reply.body as any };
  };
  return { state, ask, created: () => state.model.createdCount };
}

const post = { method: "POST", body: example };
const batchOf = (items: unknown[]) => ({ method: "POST", path: "/$batch", body: { requests: items } });
const item = (itemId: string, more: object = {}) => ({
  id: itemId,
  method: "POST",
  url: path,
  headers: { "content-type": "application/json" },
  body: example,
  ...more,
});

const answers: [AnswerFault, number, string, boolean, string | undefined][] = [
  ["throttled", 429, "TooManyRequests", false, "1"],
  ["throttledBare", 429, "TooManyRequests", false, undefined],
  ["unavailable", 503, "ServiceUnavailable", false, "1"],
  ["unavailableBare", 503, "ServiceUnavailable", false, undefined],
  ["errorBefore", 500, "InternalServerError", false, undefined],
  ["errorAfter", 500, "InternalServerError", true, undefined],
  ["timeoutBefore", 504, "GatewayTimeout", false, undefined],
  ["timeoutAfter", 504, "GatewayTimeout", true, undefined],
  ["internalError", 400, "InternalError", false, undefined],
];
for (const [fault, status, code, takesEffect, retryAfter] of answers) {
  test(`${fault}: ${status} ${code}, ${takesEffect ? "carried out" : "not carried out"}`, () => {
    const { ask, created } = graphWith();
    const reply = ask(post, { fault });
    assert.deepEqual([reply.status, reply.body.error.code], [status, code]);
    assert.equal(reply.headers["Retry-After"], retryAfter);
    assert.equal(created(), takesEffect ? 1 : 0);
  });
}

test("Intune's transient 400 has JSON text for a message", () => {
  const { ask } = graphWith();
  assert.match(
    JSON.parse(ask(post, { fault: "internalError" }).body.error.message).Message,
    /internal server error/,
  );
});

test("a 429 tells its code and status inside as well", () => {
  const { ask } = graphWith();
  const { innerError } = ask(post, { fault: "throttled" }).body.error;
  assert.deepEqual(
    [innerError.code, innerError.status, typeof innerError["request-id"]],
    ["429", "429", "string"],
  );
});

const retryAfters: [GraphBehaviour["retryAfter"], string | undefined][] = [
  ["seconds", "3"],
  ["fractional", "2.128"],
  ["http-date", "Thu, 01 Jan 2026 00:00:03 GMT"],
  ["absent", undefined],
];
for (const [retryAfter, expected] of retryAfters) {
  test(`Retry-After for 2,128 ms as ${retryAfter}: ${expected}`, () => {
    const { ask } = graphWith({ retryAfter }, { retryAfterMs: 2_128 });
    assert.equal(ask(post, { fault: "throttled" }).headers["Retry-After"], expected);
  });
}

test("the 101st write of 20 s is refused, has no effect, and is accepted after Retry-After", () => {
  const { ask, created } = graphWith();
  for (let call = 0; call < 100; call += 1) assert.equal(ask(post).status, 201);
  const refused = ask(post, { nowMs: 500 });
  assert.deepEqual([refused.status, refused.headers["Retry-After"]], [429, "20"]);
  assert.equal(created(), 100);
  assert.equal(ask({}, { nowMs: 500 }).status, 200);
  assert.equal(ask(post, { nowMs: 500, tenant: tenantB }).status, 201);
  assert.equal(ask(post, { nowMs: 20_500 }).status, 201);
});

test("throttling can be off", () => {
  const { ask } = graphWith({ throttle: null });
  for (let call = 0; call < 150; call += 1) assert.equal(ask(post).status, 201);
});

const blocks = [
  ["unauthorized", 401, "InvalidAuthenticationToken"],
  ["forbidden", 403, "Forbidden"],
  ["no-licence", 400, "BadRequest"],
  [{ status: 418, code: "Teapot", message: "" }, 418, "Teapot"],
] as const;
for (const [block, status, code] of blocks) {
  test(`a tenant blocked (${JSON.stringify(block)}) gets ${status} ${code} for all; the others do not`, () => {
    const { ask, created } = graphWith({ blocks: { [tenantA]: block } });
    for (const asked of [post, {}]) {
      const reply = ask(asked);
      assert.deepEqual([reply.status, reply.body.error.code], [status, code]);
    }
    assert.equal(created(), 0);
    assert.equal(ask(post, { tenant: tenantB }).status, 201);
  });
}

test("without the write role, writes are 403; without any, reads too", () => {
  const reader = graphWith({ permission: "read" });
  assert.deepEqual([reader.ask(post).status, reader.ask({}).status, reader.created()], [403, 200, 0]);
  assert.equal(graphWith({ permission: "none" }).ask({}).status, 403);
});

test("a missing route is a 400 that says so", () => {
  const missing = graphWith({ route: "missing" }).ask(post);
  assert.deepEqual([missing.status, missing.body.error.code], [400, "No method match route template"]);
  assert.match(missing.body.error.message, /^No OData route exists that match template /);
  const readable = graphWith({ route: "create-missing" });
  assert.deepEqual([readable.ask(post).status, readable.ask({}).status], [400, 200]);
});

test("bodies without a type, of another type, empty or no JSON are refused", () => {
  const { ask, created } = graphWith();
  assert.equal(ask({ ...post, contentType: null }).status, 400);
  assert.equal(ask({ ...post, contentType: "text/plain" }).status, 415);
  assert.equal(ask({ ...post, body: undefined }).status, 400);
  assert.equal(ask({ ...post, contentType: "Application/JSON; charset=utf-8" }).status, 201);
  assert.equal(created(), 1);
});

test("objects are reached by either form of path, in any case; query options that are unknown are refused", () => {
  const { ask } = graphWith();
  ask({ ...post, body: { ...example, id } });
  assert.equal(ask({ path: `${path}/${id}` }).status, 200);
  assert.equal(ask({ path: `${path.toLowerCase()}('${id}')` }).status, 200);
  assert.equal(ask({ method: "POST", path: `${path}/${id}/getHealthMetrics`, body: {} }).status, 200);
  assert.equal(ask({ query: "$filter=machineName eq 'm'" }).status, 400);
  assert.equal(ask({ query: "$top=1" }).body.value.length, 1);
  assert.equal(ask({ query: "$top=0" }).status, 400);
});

test("a batch answers each item, in any order", () => {
  const { ask, created } = graphWith();
  const ids = Array.from({ length: 20 }, (_, index) => String(index));
  const reply = ask(batchOf([...ids.slice(1).map((itemId) => item(itemId)), item("0", { body: {} })]));
  assert.equal(reply.status, 200);
  const answered: { id: string; status: number; headers: object }[] = reply.body.responses;
  assert.notDeepEqual(
    answered.map((answer) => answer.id),
    [...ids.slice(1), "0"],
  );
  assert.deepEqual(answered.map((answer) => answer.id).sort(), [...ids].sort());
  for (const answer of answered) assert.equal(answer.status, answer.id === "0" ? 400 : 201);
  assert.equal(created(), 19);
});

const badBatches: [string, unknown][] = [
  ["more than 20 requests", { requests: Array.from({ length: 21 }, (_, index) => item(String(index))) }],
  ["no requests", { requests: [] }],
  ["no array of requests", { requests: {} }],
  ["ids that differ in case only", { requests: [item("a"), item("A")] }],
  ["an id that is not a string", { requests: [item("a"), { ...item("b"), id: 3 }] }],
  ["a body without Content-Type", { requests: [item("a"), item("b", { headers: {} })] }],
  ["another's address", { requests: [item("a", { url: `https://graph.microsoft.com/beta${path}` })] }],
  ["an address without a scheme", { requests: [item("a", { url: `//graph.example/beta${path}` })] }],
  ["an address of another version", { requests: [item("a", { url: `https://graph.example/v1.0${path}` })] }],
  ["no method", { requests: [item("a", { method: undefined })] }],
  ["dependsOn", { requests: [item("a"), item("b", { dependsOn: ["a"] })] }],
];
for (const [what, body] of badBatches) {
  test(`a batch with ${what} is 400 as a whole, and nothing is carried out`, () => {
    const { ask, created } = graphWith();
    const reply = ask({ method: "POST", path: "/$batch", body: JSON.parse(JSON.stringify(body)) });
    assert.deepEqual([reply.status, reply.body.error.code], [400, "BadRequest"]);
    assert.equal(created(), 0);
  });
}

test("a batch may name its requests by the emulator's own addresses", () => {
  const { ask, created } = graphWith();
  const own = (itemId: string, url: string) => item(itemId, { url });
  const reply = ask(
    batchOf([own("a", `https://graph.example/beta${path}`), own("b", `HTTPS://Graph.example/beta${path}`)]),
  );
  assert.deepEqual(
    reply.body.responses.map((answer: { status: number }) => answer.status),
    [201, 201],
  );
  assert.equal(created(), 2);
});

test("each item of a batch is throttled on its own", () => {
  const { ask, created } = graphWith();
  for (let call = 0; call < 95; call += 1) ask(post);
  const reply = ask(batchOf(Array.from({ length: 20 }, (_, index) => item(String(index)))));
  const statuses = reply.body.responses.map((answer: { status: number }) => answer.status);
  assert.equal(reply.status, 200);
  assert.equal(statuses.filter((status: number) => status === 201).length, 5);
  const refused = reply.body.responses.find((answer: { status: number }) => answer.status === 429);
  assert.equal(refused.headers["Retry-After"], "20");
  assert.equal(created(), 100);
});

test("each item of a batch draws its own fault", () => {
  const { ask, created } = graphWith({}, { errorBefore: 0.5 });
  const reply = ask(batchOf(Array.from({ length: 20 }, (_, index) => item(String(index)))));
  const statuses = new Set(reply.body.responses.map((answer: { status: number }) => answer.status));
  assert.deepEqual([...statuses].sort(), [201, 500]);
  assert.ok(created() > 0 && created() < 20);
});

test("each refused item of a batch has a request id of its own", () => {
  const { ask } = graphWith();
  const { responses } = ask(batchOf([item("a", { body: {} }), item("b", { body: {} })])).body;
  const ids = responses.map(
    (answer: { body: { error: { innerError: object } } }) => answer.body.error.innerError,
  );
  assert.notEqual(ids[0]["request-id"], ids[1]["request-id"]);
});

test("a batch refused as a whole carries nothing out", () => {
  const { ask, created } = graphWith();
  assert.equal(ask(batchOf([item("a")]), { fault: "batchThrottled" }).status, 429);
  assert.equal(ask(batchOf([item("a")]), { fault: "batchUnavailable" }).status, 503);
  assert.equal(created(), 0);
});

test("a missing item answer: all carried out, one not answered", () => {
  const { ask, created } = graphWith();
  const reply = ask(batchOf([item("a"), item("b"), item("c")]), { fault: "batchMissingItem" });
  assert.equal(reply.body.responses.length, 2);
  assert.equal(created(), 3);
});

test("malformed batch answers: all carried out, none of them answers all items rightly", () => {
  const { ask, created, state } = graphWith({ throttle: null });
  const shapes = new Set<string>();
  for (let round = 1; round <= 40; round += 1) {
    const reply = ask(batchOf([item("a"), item("b")]), { fault: "batchMalformed" });
    assert.equal(created(), 2 * round);
    const responses: ({ id?: string; status?: number } | null)[] = reply.body.responses ?? [];
    const right = responses.filter((answer) => /^[ab]$/.test(answer?.id ?? "") && answer?.status === 201);
    assert.ok(reply.malformed || right.length < 2, JSON.stringify(reply.body));
    shapes.add(
      reply.malformed ? "cut" : `${"responses" in reply.body} ${right.length} ${responses.includes(null)}`,
    );
  }
  assert.ok(shapes.size >= 4, [...shapes].join());
  assert.equal(state.model.tenants.size, 1);
});
