/** What goes over the wire, byte for byte, and what is made of odd answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { routeByCloud } from "../../src/graph/by-cloud.ts";
import type { TokenSource } from "../../src/graph/credentials/token-cache.ts";
import type { Graph, GraphReply } from "../../src/graph-port.ts";
import { createRequest, exampleDetails, idOf, openAgainst, tenantId } from "./fixtures.ts";
import { createManualClock } from "./manual-clock.ts";
import { reply, startWireServer, type WireRequest, type WireServer } from "./wire-server.ts";

const created = {
  "@odata.type": "#microsoft.graph.certificateConnectorDetails",
  id: idOf(1),
  ...exampleDetails,
};

async function against<T>(
  answer: (request: WireRequest, index: number) => void,
  use: (graph: Graph, server: WireServer) => Promise<T>,
): Promise<T> {
  const server = await startWireServer(answer);
  const { graph, close } = openAgainst(server.url, createManualClock(), { maxConnections: 1 });
  try {
    return await use(graph, server);
  } finally {
    await close();
    await server.close();
  }
}

function createOne(answer: (request: WireRequest, index: number) => void): Promise<GraphReply> {
  return against(answer, async (graph) => (await graph.create(tenantId, [createRequest()]))[0]!);
}

function silenceOf(result: GraphReply): { sent: boolean; reason: string } {
  assert.equal(result.kind, "silence", JSON.stringify(result));
  const { sent, reason } = result as Extract<GraphReply, { kind: "silence" }>;
  return { sent, reason };
}

test("a POST is the documented example, with the token even over http", async () => {
  await against(
    ({ socket }) => socket.write(reply(201, created, { "request-id": "r-1" })),
    async (graph, { requests }) => {
      const request = { ...createRequest(), details: exampleDetails };
      const [result] = await graph.create(tenantId, [request]);
      const { id, ...details } = created;
      assert.deepEqual(result, {
        kind: "answer",
        status: 201,
        object: { id, ...exampleDetails },
        errorCode: "",
        errorMessage: "",
        retryAfter: null,
        requestId: "r-1",
        date: null,
        ofBatch: false,
      });
      const [sent] = requests;
      assert.equal(
        `${sent!.method} ${sent!.target}`,
        "POST /beta/deviceManagement/certificateConnectorDetails",
      );
      assert.equal(sent!.body, JSON.stringify(details));
      assert.equal(sent!.headers.authorization, "Bearer a-token");
      assert.equal(sent!.headers["content-type"], "application/json");
      assert.equal(sent!.headers.accept, "application/json");
      assert.equal(sent!.headers["idempotency-key"], request.idempotencyKey);
      assert.equal(sent!.headers["client-request-id"], request.clientRequestId);
      assert.match(sent!.headers.sdkversion!, /^graph-js\/3\./);
    },
  );
});

test("an id stands second in the body, after @odata.type", async () => {
  await against(
    ({ socket }) => socket.write(reply(201, created)),
    async (graph, { requests }) => {
      await graph.create(tenantId, [createRequest(1, idOf(1))]);
      const keys = Object.keys(JSON.parse(requests[0]!.body));
      assert.deepEqual(keys.slice(0, 3), ["@odata.type", "id", "connectorName"]);
    },
  );
});

test("a $batch holds relative URLs, a Content-Type for each item and the items' own headers", async () => {
  await against(
    ({ socket }) => socket.write(reply(200, { responses: [] })),
    async (graph, { requests }) => {
      await graph.create(tenantId, [createRequest(1), createRequest(2, idOf(2))]);
      assert.equal(requests.length, 1);
      assert.equal(`${requests[0]!.method} ${requests[0]!.target}`, "POST /beta/$batch");
      assert.deepEqual(JSON.parse(requests[0]!.body).requests[1], {
        id: "2",
        method: "POST",
        url: "/deviceManagement/certificateConnectorDetails",
        headers: {
          "Content-Type": "application/json",
          "Idempotency-Key": createRequest(2).idempotencyKey,
          "client-request-id": createRequest(2).clientRequestId,
        },
        body: {
          "@odata.type": "#microsoft.graph.certificateConnectorDetails",
          id: idOf(2),
          ...createRequest(2).details,
        },
      });
    },
  );
});

for (const status of [429, 500, 502, 503, 504, 509]) {
  test(`a ${status} leads to exactly one POST`, async () => {
    await against(
      ({ socket }) =>
        socket.write(reply(status, { error: { code: "X", message: "m" } }, { "retry-after": "0" })),
      async (graph, { requests }) => {
        const [result] = await graph.create(tenantId, [createRequest()]);
        assert.equal(result?.kind === "answer" && result.status, status);
        assert.equal(requests.length, 1);
      },
    );
  });
}

const unreadable: [string, (socket: WireRequest["socket"]) => void][] = [
  ["is cut off", (socket) => socket.end(reply(201, created).slice(0, -20))],
  [
    "is cut off without a length",
    (socket) => socket.end(`HTTP/1.1 201 X\r\n\r\n${JSON.stringify(created).slice(0, -20)}`),
  ],
  ["is not JSON", (socket) => socket.write(reply(201, "<html>"))],
  ["is empty", (socket) => socket.write(reply(201, ""))],
  ["has no id", (socket) => socket.write(reply(201, exampleDetails))],
  ["has an id that is not a string", (socket) => socket.write(reply(201, { ...created, id: 7 }))],
  [
    "is longer than the limit",
    (socket) => socket.write(reply(201, { ...created, x: "x".repeat(17 * 1024 * 1024) })),
  ],
  ["is not HTTP", (socket) => socket.write("what?\r\n\r\n")],
];
for (const [what, write] of unreadable) {
  test(`a 201 that ${what} is an unknown outcome`, async () => {
    assert.deepEqual(silenceOf(await createOne(({ socket }) => write(socket))), {
      sent: true,
      reason: "malformed",
    });
  });
}

test("a refusal that breaks off is not an answer either", async () => {
  const result = await createOne(({ socket }) =>
    socket.end(reply(400, { error: { code: "x" } }).slice(0, -5)),
  );
  assert.deepEqual(silenceOf(result), { sent: true, reason: "malformed" });
});

test("a reset before any answer is an unknown outcome", async () => {
  assert.deepEqual(silenceOf(await createOne(({ socket }) => socket.resetAndDestroy())), {
    sent: true,
    reason: "reset",
  });
});

test("a reset on a connection used before is an unknown outcome, and nothing is sent again", async () => {
  await against(
    ({ socket }, index) => (index === 0 ? socket.write(reply(201, created)) : socket.resetAndDestroy()),
    async (graph, { requests, connections }) => {
      await graph.create(tenantId, [createRequest(1)]);
      const [result] = await graph.create(tenantId, [createRequest(2)]);
      assert.deepEqual(silenceOf(result!), { sent: true, reason: "reset" });
      assert.equal(connections.opened, 1);
      // A third request shows that the second was not sent along with it.
      await graph.create(tenantId, [createRequest(3)]);
      assert.deepEqual(
        requests.map(({ body }) => JSON.parse(body).machineName),
        ["machine-1", "machine-2", "machine-3"],
      );
    },
  );
});

test("a refused connection is certainly not sent", async () => {
  const server = await startWireServer(() => {});
  await server.close();
  const { graph, close } = openAgainst(server.url, createManualClock());
  const [result] = await graph.create(tenantId, [createRequest()]);
  assert.deepEqual(silenceOf(result!), { sent: false, reason: "connect" });
  assert.match(JSON.stringify(result), /ECONNREFUSED/);
  await close();
});

test("errors are read in any casing, without a code, with Retry-After as it came", async () => {
  const bodies: [unknown, Partial<Record<string, unknown>>][] = [
    [
      { error: { code: "Throttled", message: "m", innererror: { "request-id": "inner" } } },
      { errorCode: "Throttled", errorMessage: "m", requestId: "inner", retryAfter: "2.128" },
    ],
    [{ error: { code: "", message: '{"_version":3}' } }, { errorCode: "", errorMessage: '{"_version":3}' }],
    [
      { error: { code: null, message: 5, innerError: { "Request-Id": "x" } } },
      { errorCode: "", requestId: "x" },
    ],
    [{ error: "invalid_grant" }, { errorCode: "", errorMessage: "", object: null }],
    ["<html>", { errorCode: "", errorMessage: "", requestId: null }],
    [[], { errorCode: "" }],
  ];
  for (const [body, expected] of bodies) {
    const result = await createOne(({ socket }) =>
      socket.write(reply(429, body, { "Retry-After": "2.128" })),
    );
    assert.equal(result.kind, "answer");
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(
        (result as unknown as Record<string, unknown>)[name],
        value,
        `${name} of ${JSON.stringify(body)}`,
      );
    }
  }
});

test("an entity wrapped in value is read, and what is absent becomes empty", async () => {
  const wrapped = await createOne(({ socket }) => socket.write(reply(201, { value: created })));
  assert.deepEqual(wrapped.kind === "answer" && wrapped.object, { id: idOf(1), ...exampleDetails });
  const bare = await createOne(({ socket }) => socket.write(reply(201, { id: "only", machineName: null })));
  assert.equal(bare.kind === "answer" && bare.object?.machineName, "");
});

test("an id is escaped in a path", async () => {
  await against(
    ({ socket }) => socket.write(reply(404, { error: { code: "ResourceNotFound", message: "" } })),
    async (graph, { requests }) => {
      await graph.get(tenantId, "https://x/?a=b#c");
      await graph.remove(tenantId, "a/../b");
      assert.deepEqual(
        requests.map(({ method, target }) => `${method} ${target}`),
        [
          "GET /beta/deviceManagement/certificateConnectorDetails/https%3A%2F%2Fx%2F%3Fa%3Db%23c",
          "DELETE /beta/deviceManagement/certificateConnectorDetails/a%2F..%2Fb",
        ],
      );
    },
  );
});

test("a base URL with a path keeps it", async (context) => {
  const server = await startWireServer(({ socket }) => socket.write(reply(201, created)));
  const { graph, close } = openAgainst(`${server.url}/proxy/`, createManualClock());
  context.after(() => Promise.all([close(), server.close()]));
  await graph.create(tenantId, [createRequest()]);
  assert.equal(server.requests[0]!.target, "/proxy/beta/deviceManagement/certificateConnectorDetails");
});

test("a token that was fetched ahead is the one that the create carries, through the choice of the cloud too", async (t) => {
  const asked: string[] = [];
  const tokens: TokenSource = async (tenant) => {
    asked.push(tenant);
    return { ok: true, token: `token-${asked.length}`, expiresAtWallMs: Date.now() + 3_600_000 };
  };
  const server = await startWireServer(({ socket }) => socket.write(reply(201, created)));
  const opened = routeByCloud(
    () => openAgainst(server.url, createManualClock(), { tokens }),
    () => "global",
    [],
  );
  t.after(async () => {
    await opened.close();
    await server.close();
  });
  opened.graph.prepare!(tenantId);
  assert.deepEqual([asked, server.requests], [[tenantId], []]);
  await opened.graph.create(tenantId, [createRequest()]);
  assert.deepEqual(asked, [tenantId]);
  assert.equal(server.requests[0]!.headers.authorization, "Bearer token-1");
});
