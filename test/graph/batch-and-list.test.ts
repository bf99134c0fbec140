/** Answers to a $batch, and the following of pages, against servers that take liberties. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { maxListPages } from "../../src/graph/list.ts";
import type { GraphReply, ListReply } from "../../src/graph-port.ts";
import { createRequest, idOf, serve, tenantId } from "./fixtures.ts";
import { reply, startWireServer, type WireRequest } from "./wire-server.ts";

const requests = [createRequest(1), createRequest(2), createRequest(3)];

function item(n: number, changes: Record<string, unknown> = {}) {
  const headers = { "Content-Type": "application/json" };
  return {
    id: String(n),
    status: 201,
    headers,
    body: { id: idOf(n), ...createRequest(n).details },
    ...changes,
  };
}

async function batch(context: TestContext, answer: string): Promise<readonly GraphReply[]> {
  const { graph, server } = await serve(context, ({ socket }) => socket.write(answer));
  const results = await graph.create(tenantId, requests);
  assert.equal(server.requests.length, 1);
  return results;
}

/** A result in short: the object's id, the status, or the silence. */
function brief(result: GraphReply): unknown {
  if (result.kind === "silence") return `${result.reason} ${result.sent ? "sent" : "unsent"}`;
  return result.object?.id ?? (result.ofBatch ? `${result.status} of the batch` : result.status);
}

const unknown = "malformed sent";
const cases: [string, string, unknown[]][] = [
  ["any order", reply(200, { responses: [item(3), item(1), item(2)] }), [idOf(1), idOf(2), idOf(3)]],
  [
    "424 outside",
    reply(424, { responses: [item(1, { status: 424, body: {} }), item(2), item(3)] }),
    [424, idOf(2), idOf(3)],
  ],
  [
    "ids as numbers",
    reply(200, { responses: [item(1, { id: 1 }), item(2), item(3)] }),
    [idOf(1), idOf(2), idOf(3)],
  ],
  ["an item missing", reply(200, { responses: [item(1), item(3)] }), [idOf(1), unknown, idOf(3)]],
  [
    "an item twice",
    reply(200, { responses: [item(1), item(2), item(2), item(3)] }),
    [idOf(1), unknown, idOf(3)],
  ],
  [
    "an item that was not requested",
    reply(200, { responses: [item(1), item(2), item(3), item(4)] }),
    [idOf(1), idOf(2), idOf(3)],
  ],
  [
    "no status",
    reply(200, { responses: [item(1, { status: null }), item(2), item(3)] }),
    [unknown, idOf(2), idOf(3)],
  ],
  [
    "a 201 without an id",
    reply(200, { responses: [item(1, { body: {} }), item(2), item(3)] }),
    [unknown, idOf(2), idOf(3)],
  ],
  [
    "no body",
    reply(200, { responses: [item(1, { body: undefined }), item(2, { status: 503, body: undefined })] }),
    [unknown, 503, unknown],
  ],
  [
    "items that are none",
    reply(200, { responses: [null, 7, "x", [], item(1)] }),
    [idOf(1), unknown, unknown],
  ],
  [
    "a body as JSON text",
    reply(200, { responses: [item(1, { body: JSON.stringify(item(1).body) })] }),
    [idOf(1), unknown, unknown],
  ],
  ["no responses", reply(200, {}), [unknown, unknown, unknown]],
  ["no JSON", reply(200, "<html>"), [unknown, unknown, unknown]],
  ...[400, 403, 404, 409, 413, 429, 500, 503, 504].map((status): [string, string, unknown[]] => [
    `${status} as a whole`,
    reply(status, { error: { code: "X" } }),
    new Array(3).fill(`${status} of the batch`),
  ]),
  ["302 as a whole", reply(302, "", { location: "https://portal/" }), [unknown, unknown, unknown]],
  ["a proxy's 403 as a whole", reply(403, "<html>"), [unknown, unknown, unknown]],
  ["302 for an item", reply(200, { responses: [item(1, { status: 302 })] }), [unknown, unknown, unknown]],
];
for (const [what, answer, expected] of cases) {
  test(`a batch's answer with ${what}`, async (context) =>
    assert.deepEqual((await batch(context, answer)).map(brief), expected));
}

test("an item's answer has the batch's Date unless it has one of its own", async (context) => {
  const own = item(2, { status: 429, headers: { Date: "Thu, 01 Jan 2026 00:00:05 GMT" } });
  const answer = reply(200, { responses: [item(1), own] }, { date: "Thu, 01 Jan 2026 00:00:00 GMT" });
  const [first, second] = await batch(context, answer);
  assert.equal(first?.kind === "answer" && first.date, "Thu, 01 Jan 2026 00:00:00 GMT");
  assert.equal(second?.kind === "answer" && second.date, "Thu, 01 Jan 2026 00:00:05 GMT");
});

test("an item has its own Retry-After, error and request-id, else the batch's request-id", async (context) => {
  const throttled = item(1, {
    status: 429,
    headers: { "Retry-After": 0.249, "request-id": "own" },
    body: { error: { code: "TooManyRequests", message: "slow" } },
  });
  const inner = item(2, {
    status: 400,
    body: { error: { code: "BadRequest", innerError: { "request-id": "inner" } } },
  });
  const answer = reply(
    200,
    { responses: [throttled, inner, item(3)] },
    { "request-id": "whole", "retry-after": "9" },
  );
  const results = (await batch(context, answer)) as Extract<GraphReply, { kind: "answer" }>[];
  assert.deepEqual(
    results.map(({ retryAfter, errorCode, requestId }) => [retryAfter, errorCode, requestId]),
    [
      ["0.249", "TooManyRequests", "own"],
      [null, "BadRequest", "inner"],
      [null, "", "whole"],
    ],
  );
});

interface Listing {
  readonly result: ListReply;
  readonly targets: string[];
}

async function list(
  context: TestContext,
  answer: (request: WireRequest, index: number, origin: string) => string,
): Promise<Listing> {
  const { graph, server } = await serve(context, (request, index) =>
    request.socket.write(answer(request, index, server.url)),
  );
  const result = await graph.list(tenantId);
  return { result, targets: server.requests.map(({ method, target }) => `${method} ${target}`) };
}

const page = (value: unknown, next?: string) => reply(200, { value, "@odata.nextLink": next });
const path = "/beta/deviceManagement/certificateConnectorDetails";

test("a next link is followed exactly as it came", async (context) => {
  const query = "?$skiptoken=a%2Bb%3D&x=1&x=2&y=https://elsewhere/beta/z&$top=5&flag";
  const { result, targets } = await list(context, (_, index, origin) =>
    index === 0 ? page([item(1).body], `${origin}/beta/odd/../Path${query}`) : page([item(2).body]),
  );
  assert.deepEqual(result.kind === "listed" && result.objects.map(({ id }) => id), [idOf(1), idOf(2)]);
  assert.deepEqual(targets, [`GET ${path}`, `GET /beta/Path${query}`]);
});

/** Ids of what was listed, and why there may be more. */
function partOf({ result }: Listing): [string[], string] {
  assert.equal(result.kind, "listed", JSON.stringify(result));
  const { objects, incomplete } = result as Extract<ListReply, { kind: "listed" }>;
  return [objects.map(({ id }) => id), incomplete ?? "complete"];
}

test("a next link to another origin is not followed, no token goes there, and what was read is kept", async (context) => {
  const foreign = await startWireServer(({ socket }) => socket.write(page([])));
  context.after(foreign.close);
  const links = [
    foreign.url,
    foreign.url.replace("http://", "http://a@"),
    "https://graph.microsoft.com",
    "http://[",
  ];
  for (const link of links) {
    const listing = await list(context, () => page([item(1).body], `${link}${path}`));
    const [ids, why] = partOf(listing);
    assert.deepEqual(ids, [idOf(1)]);
    assert.match(why, /not followed/);
    assert.equal(listing.targets.length, 1);
  }
  assert.equal(foreign.requests.length, 0);
  assert.equal(foreign.connections.opened, 0);
});

test("pages in a circle, and pages without end, come to an end, and what was read is kept", async (context) => {
  const circle = await list(context, (_, index, origin) =>
    page([item(index + 1).body], `${origin}${path}?$skiptoken=1`),
  );
  assert.deepEqual(partOf(circle), [[idOf(1), idOf(2)], "the list's pages form a circle"]);
  assert.equal(circle.targets.length, 2);
  const endless = await list(context, (_, index, origin) =>
    page(index === 0 ? [item(1).body] : [], `${origin}${path}?$skiptoken=${index}`),
  );
  assert.deepEqual(partOf(endless), [[idOf(1)], "the list has more than 1000 pages"]);
  assert.equal(endless.targets.length, maxListPages);
});

const holes: [string, unknown, RegExp][] = [
  ["an item without an id", { value: [item(1).body, {}] }, /^1 items are unreadable$/],
  ["items that are not objects", { value: [null, item(1).body, 7, "x", []] }, /^4 items are unreadable$/],
  ["an empty next link", { value: [item(1).body], "@odata.nextLink": "" }, /link .* is empty/],
  ["a next link that is not text", { value: [item(1).body], "@odata.nextLink": 7 }, /link .* is empty/],
  ["both", { value: [item(1).body, {}], "@odata.nextLink": " " }, /^1 items .*; the link .* is empty$/],
];
for (const [what, body, expected] of holes) {
  test(`a list with ${what} is incomplete, and what was read is kept`, async (context) => {
    const [ids, why] = partOf(await list(context, () => reply(200, body)));
    assert.deepEqual(ids, [idOf(1)]);
    assert.match(why, expected);
  });
}

test("a first page that can't be read does not count as a list", async (context) => {
  for (const body of ["<html>", "", {}, { value: {} }, []]) {
    const { result } = await list(context, () => reply(200, body));
    assert.equal(result.kind === "silence" && result.reason, "malformed", JSON.stringify(body));
  }
});

test("a first page that fails is asked for once, so that an outage is seen soon; a later one three times", async (context) => {
  const down = reply(500, { error: { code: "" } });
  const first = await list(context, () => down);
  assert.deepEqual([first.targets.length, first.result.kind], [1, "answer"]);
  const later = await list(context, (_, index, origin) =>
    index === 0 ? page([item(1).body], `${origin}${path}?$skiptoken=1`) : down,
  );
  assert.equal(later.targets.length, 4);
});

const laterPages: [string, string, RegExp][] = [
  ["can't be read", reply(200, {}), /^page 2 is unreadable/],
  ["fails for good", reply(400, { error: { code: "BadRequest" } }), /^page 2 is answered 400 BadRequest$/],
  ["always fails", reply(500, { error: { code: "" } }), /^page 2 is answered 500$/],
  ["is a portal's", reply(200, "<html>"), /^page 2 is unreadable: .*HTML/],
];
for (const [what, answer, expected] of laterPages) {
  test(`a later page that ${what} leaves the list incomplete`, async (context) => {
    const listing = await list(context, (_, index, origin) =>
      index === 0 ? page([item(1).body], `${origin}${path}?$skiptoken=1`) : answer,
    );
    const [ids, why] = partOf(listing);
    assert.deepEqual(ids, [idOf(1)]);
    assert.match(why, expected);
  });
}

test("a later page that is throttled or barred is the list's answer", async (context) => {
  const answers = [
    reply(403, { error: { code: "Forbidden" } }),
    reply(401, ""),
    reply(429, { error: { code: "TooManyRequests" } }),
    reply(503, { error: { code: "X" } }, { "retry-after": "3" }),
  ];
  for (const answer of answers) {
    const { result } = await list(context, (_, index, origin) =>
      index === 0 ? page([item(1).body], `${origin}${path}?$skiptoken=1`) : answer,
    );
    assert.equal(result.kind, "answer", JSON.stringify(result));
  }
});
