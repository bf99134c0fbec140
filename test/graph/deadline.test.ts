/** The request time-out: it covers everything, and nothing is sent after it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { test } from "node:test";
import type { GraphReply } from "../../src/graph-port.ts";
import {
  createRequest,
  idOf,
  openAgainst,
  requestTimeoutMs,
  serve,
  staticToken,
  tenantId,
} from "./fixtures.ts";
import { createManualClock, eventually, turn } from "./manual-clock.ts";
import { reply } from "./wire-server.ts";

const created = { id: idOf(1), ...createRequest().details };

function timeoutOf([result]: readonly GraphReply[]): boolean {
  assert.equal(result?.kind === "silence" && result.reason, "timeout", JSON.stringify(result));
  return result?.kind === "silence" && result.sent;
}

test("without an answer: sent, settled exactly at the time-out, and the connection destroyed", async (context) => {
  const clock = createManualClock();
  const { graph, server } = await serve(context, () => {}, { clock });
  let isSettled = false;
  const work = graph.create(tenantId, [createRequest()]).finally(() => {
    isSettled = true;
  });
  await eventually(() => server.requests.length === 1, "the request");
  clock.advance(requestTimeoutMs - 1);
  await turn();
  assert.equal(isSettled, false);
  clock.advance(1);
  assert.equal(timeoutOf(await work), true);
  await eventually(() => server.connections.closed === 1, "the connection's end");
  assert.equal(clock.waiting(), 0);
});

test("half an answer: sent", async (context) => {
  const clock = createManualClock();
  const { graph, server } = await serve(
    context,
    ({ socket }) => socket.write(reply(201, created).slice(0, -10)),
    { clock },
  );
  const work = graph.create(tenantId, [createRequest()]);
  await eventually(() => server.requests.length === 1, "the request");
  clock.advance(requestTimeoutMs);
  assert.equal(timeoutOf(await work), true);
});

test("while waiting for a token: not sent, then or when the token comes", async (context) => {
  const clock = createManualClock();
  const { promise: token, resolve: bringToken } = Promise.withResolvers<void>();
  const { graph, server } = await serve(context, ({ socket }) => socket.write(reply(201, created)), {
    clock,
    tokens: async (...args) => {
      await token;
      return staticToken(...args);
    },
  });
  const early = graph.create(tenantId, [createRequest(1)]);
  clock.advance(requestTimeoutMs);
  assert.equal(timeoutOf(await early), false);
  bringToken();
  await turn();
  const [later] = await graph.create(tenantId, [createRequest(2)]);
  assert.equal(later?.kind, "answer");
  assert.deepEqual(
    server.requests.map(({ body }) => JSON.parse(body).machineName),
    ["machine-2"],
  );
});

test("while waiting for a connection: not sent, nor when the connection is free", async (context) => {
  const clock = createManualClock();
  const { graph, server } = await serve(context, () => {}, { clock, maxConnections: 1 });
  const first = graph.create(tenantId, [createRequest(1)]);
  await eventually(() => server.requests.length === 1, "the first request");
  const queued = graph.create(tenantId, [createRequest(2)]);
  await turn();
  // Both time out at one moment, the first frees the connection first: still the second must not go out.
  clock.advance(requestTimeoutMs);
  assert.equal(timeoutOf(await first), true);
  assert.equal(timeoutOf(await queued), false);
  const last = graph.create(tenantId, [createRequest(3)]);
  await eventually(() => server.requests.length === 2, "the third request");
  assert.equal(JSON.parse(server.requests[1]!.body).machineName, "machine-3");
  clock.advance(requestTimeoutMs);
  await last;
});

test("in the TLS handshake: not sent", async (context) => {
  const clock = createManualClock();
  const silent = createServer((socket) => socket.on("error", () => {}));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { graph, close } = openAgainst(url, clock);
  context.after(async () => {
    await close();
    silent.close();
  });
  const connected = once(silent, "connection");
  const work = graph.create(tenantId, [createRequest()]);
  await connected;
  clock.advance(requestTimeoutMs);
  assert.equal(timeoutOf(await work), false);
});

for (const [what, frozen] of [
  ["frozen", { monotonicMs: requestTimeoutMs, wallMs: requestTimeoutMs }],
  [
    "in a machine that was suspended, whose monotonic clock stood still",
    { monotonicMs: 0, wallMs: requestTimeoutMs },
  ],
] as const) {
  test(`${what} past the time-out, and back before the timer fires: not sent`, async (context) => {
    let now = { monotonicMs: 0, wallMs: 0 };
    const clock = { nowMs: () => now.monotonicMs, wallMs: () => now.wallMs, after: () => () => {} };
    const { promise: token, resolve: bringToken } = Promise.withResolvers<void>();
    const { graph, server } = await serve(context, ({ socket }) => socket.write(reply(201, created)), {
      clock,
      tokens: async (...args) => {
        await token;
        return staticToken(...args);
      },
    });
    const work = graph.create(tenantId, [createRequest()]);
    await turn();
    now = frozen;
    bringToken();
    assert.equal(timeoutOf(await work), false);
    assert.equal(server.requests.length, 0);
  });
}

test("a connection that is given up is reset, whatever gave it up", async (context) => {
  const clock = createManualClock();
  const ends: string[] = [];
  const { graph, server } = await serve(
    context,
    ({ socket }) => {
      socket
        .on("error", (error) => ends.push((error as NodeJS.ErrnoException).code!))
        .on("end", () => ends.push("closed"));
    },
    { clock },
  );
  const timedOut = graph.create(tenantId, [createRequest(1)]);
  await eventually(() => server.requests.length === 1, "the first request");
  clock.advance(requestTimeoutMs);
  await timedOut;
  await eventually(() => ends.length === 1, "the first connection's end");
  const tooLong = graph.create(tenantId, [createRequest(2)]);
  await eventually(() => server.requests.length === 2, "the second request");
  const body = "x".repeat(1024 * 1024);
  server.requests[1]!.socket.write(`HTTP/1.1 200 X\r\ncontent-length: ${64 * body.length}\r\n\r\n`);
  for (let sent = 0; sent < 20; sent++) server.requests[1]!.socket.write(body);
  await tooLong;
  await eventually(() => ends.length === 2, "the second connection's end");
  assert.deepEqual(ends, ["ECONNRESET", "ECONNRESET"]);
});
