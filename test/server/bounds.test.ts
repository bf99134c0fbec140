/** Connections that would take more than their share: slow, silent, endless, or too many. Nothing here waits for a time to pass. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { limits } from "../../src/server/http/limits.ts";
import { lookAgain } from "../support/look-again.ts";
import { connected, untilClosed } from "./raw-connection.ts";
import { serviceFor } from "./service-harness.ts";

const times = {
  ...{ headersTimeoutMs: 200, requestTimeoutMs: 400, idleTimeoutMs: 200 },
  ...{ stalledTimeoutMs: 120_000, sweepIntervalMs: 20 },
};

const head = (url: string, more: string) =>
  `POST /events HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Type: application/cloudevents+json\r\n${more}`;

/** So that nothing but the limit of the headers can end it in time. */
const slowBody = { ...times, requestTimeoutMs: 120_000 };

test("a connection that sends nothing is closed", async (t) => {
  const { service, metrics } = await serviceFor(t, { settings: { times: slowBody } });
  const socket = await connected(t, service.url);
  await untilClosed(socket);
  assert.match(await metrics.text(), /bounds_met_total\{bound="request-time"\} 1/);
});

test("headers that come slower and slower: 408 as a problem, and the connection is closed", async (t) => {
  const { service } = await serviceFor(t, { settings: { times: slowBody } });
  const socket = await connected(t, service.url);
  socket.write(head(service.url, ""));
  const drip = setInterval(() => socket.write("x"), 30);
  t.after(() => clearInterval(drip));
  const text = await untilClosed(socket);
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.match(text, /"code":"request-timeout"/);
});

test("a body that comes slower and slower is cut off; one that was promised and does not come too", async (t) => {
  const { service, memory } = await serviceFor(t, { settings: { times } });
  const socket = await connected(t, service.url);
  socket.write(head(service.url, "Content-Length: 1000\r\n\r\n"));
  const drip = setInterval(() => socket.write("x"), 30);
  t.after(() => clearInterval(drip));
  assert.match(await untilClosed(socket), /^HTTP\/1\.1 408 /);
  assert.equal(memory.appends.length, 0);
});

test("a body without an end: 413 once it is beyond the limit, and it is read no further", async (t) => {
  const { service, metrics } = await serviceFor(t, {
    settings: { times: { ...times, requestTimeoutMs: 20_000 } },
  });
  const socket = await connected(t, service.url);
  socket.write(head(service.url, "Transfer-Encoding: chunked\r\n\r\n"));
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  let sent = 0;
  const more = () => {
    while (!socket.destroyed && socket.writable && socket.write(chunk)) sent += 0x10000;
    sent += 0x10000;
  };
  socket.on("drain", more);
  more();
  await untilClosed(socket);
  // The connection may be reset before the answer is read: that is the sender's affair.
  assert.match(await metrics.text(), /bounds_met_total\{bound="body-bytes"\} 1/);
  assert.ok(sent < limits.bodyBytes * 30, `${sent} bytes were taken`);
});

test("headers beyond the limit are 431, what is not HTTP is 400, a second Content-Length too", async (t) => {
  const { service } = await serviceFor(t, { settings: { times } });
  for (const [sent, status, code] of [
    [head(service.url, `X-Long: ${"x".repeat(limits.headerBytes)}\r\n\r\n`), 431, "headers-too-large"],
    ["\x16\x03\x01\x02\x00\x01", 400, "request-malformed"],
    ["GET /livez HTTP/1.1\r\n\r\n", 400, ""],
    [head(service.url, "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), 400, "request-malformed"],
    [
      head(service.url, "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
      400,
      "request-malformed",
    ],
  ] as const) {
    const socket = await connected(t, service.url);
    socket.write(sent);
    const text = await untilClosed(socket);
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(sent.slice(0, 40)));
    assert.ok(text.includes(code));
  }
});

test("connections beyond the limit are closed, and those within it are served", async (t) => {
  const { service, metrics, ask } = await serviceFor(t, {
    settings: { times: limits, maxConnections: 50 },
  });
  const sockets = await Promise.all(Array.from({ length: 200 }, () => connected(t, service.url)));
  const closed = sockets.slice(50).map((socket) => untilClosed(socket));
  await Promise.all(closed);
  assert.match(await metrics.text(), /bounds_met_total\{bound="connections"\} 150/);
  assert.match(await metrics.text(), /http_connections 50/);
  sockets[0]!.destroy();
  await once(sockets[0]!, "close");
  let answer = await ask("/livez").catch(() => null);
  while (answer === null) {
    await lookAgain();
    answer = await ask("/livez").catch(() => null);
  }
  assert.equal(answer.status, 200);
});
