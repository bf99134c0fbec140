/** What is sent byte by byte, as no HTTP client would: one request must never be taken for another, nor one name for another. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createMemoryLog } from "../../lab/testkit/memory-log.ts";
import { sampleEvent } from "../../lab/testkit/samples.ts";
import { systemClock } from "../../src/clock.ts";
import type { AppendResult, EventLog } from "../../src/ports.ts";
import { connected, untilClosed } from "./raw-connection.ts";
import { eventFor, serviceFor, until } from "./service-harness.ts";

const times = {
  ...{ headersTimeoutMs: 20_000, requestTimeoutMs: 20_000, idleTimeoutMs: 20_000 },
  ...{ stalledTimeoutMs: 20_000, sweepIntervalMs: 50 },
};

async function answered(t: TestContext, url: string, sent: string): Promise<string> {
  const socket = await connected(t, url);
  socket.write(sent, "latin1");
  return untilClosed(socket);
}

const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

function headOf(url: string, { target = "/livez", host = new URL(url).host, more = "" } = {}): string {
  return `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;
}

function postOf(url: string, body: string, more = ""): string {
  const { host } = new URL(url);
  const size = Buffer.byteLength(body);
  return `POST /events HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/cloudevents+json\r\n${more}Content-Length: ${size}\r\n\r\n${body}`;
}

test("what can't be read behind a request is never answered in that request's place", async (t) => {
  const appended = Promise.withResolvers<AppendResult>();
  let appends = 0;
  const append = () => {
    appends++;
    return appended.promise;
  };
  const { log } = createMemoryLog(systemClock, 4).connect(systemClock, () => false);
  const slow: EventLog = { ...log, partitionCount: 4, append };
  const { service } = await serviceFor(t, { settings: { times }, parts: { log: () => slow } });
  const socket = await connected(t, service.url);
  const text = untilClosed(socket);
  socket.write(postOf(service.url, JSON.stringify(eventFor())));
  await until(() => appends === 1);
  socket.write("GARBAGE\r\n\r\n");
  // 400 would say that nothing was stored.
  assert.deepEqual(statuses(await text), []);
  appended.resolve({ ok: true });
  const both = `${headOf(service.url).replace("Connection: close\r\n", "")}GARBAGE\r\n\r\n`;
  assert.deepEqual(statuses(await answered(t, service.url, both)), []);
});

test("a target with a host: that one counts, and the rest is the path", async (t) => {
  const { service } = await serviceFor(t, { settings: { times } });
  const { host } = new URL(service.url);
  const ask = async (target: string, asHost = host) =>
    statuses(await answered(t, service.url, headOf(service.url, { target, host: asHost })));
  assert.deepEqual(await ask("http://evil.example/livez"), [421]);
  assert.deepEqual(await ask(`http://${host}@evil.example/livez`), [421]);
  assert.deepEqual(await ask(`http://${host}/livez`, "evil.example"), [200]);
  assert.deepEqual(await ask(`HTTP://${host}/events?x`), [405]);
  assert.deepEqual(await ask(`http://${host}`), [303]);
  assert.deepEqual(await ask(`http://${host}/console/letters`), [200]);
});

test("a header that decides stands in a request once", async (t) => {
  const { service, memory } = await serviceFor(t, { settings: { times } });
  const close = "Connection: close\r\nAuthorization: Bearer a\r\n";
  for (const again of [
    "Host: localhost",
    "host: evil.example",
    "Authorization: Bearer b",
    "content-TYPE: text/plain",
  ]) {
    const sent = postOf(service.url, JSON.stringify(eventFor()), `${close}${again}\r\n`);
    assert.match(
      await answered(t, service.url, sent),
      /^HTTP\/1\.1 400 [\s\S]*"code":"header-repeated"/,
      again,
    );
  }
  assert.equal(memory.appends.length, 0);
});

test("an expectation that is not met is a problem; a coded transfer is refused", async (t) => {
  const { service, memory } = await serviceFor(t, { settings: { times } });
  const body = JSON.stringify(sampleEvent);
  const close = "Connection: close\r\n";
  const expected = await answered(t, service.url, postOf(service.url, body, `${close}Expect: a-miracle\r\n`));
  assert.match(expected, /^HTTP\/1\.1 417 [\s\S]*"code":"expectation-unsupported"/);
  const going = await answered(t, service.url, postOf(service.url, body, `${close}Expect: 100-continue\r\n`));
  assert.deepEqual(statuses(going), [100, 202]);
  const { host } = new URL(service.url);
  const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const coded = `POST /events HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/cloudevents+json\r\n${close}Transfer-Encoding: gzip, chunked\r\n\r\n${chunks}`;
  assert.match(await answered(t, service.url, coded), /^HTTP\/1\.1 415 [\s\S]*content-encoding-unsupported/);
  assert.equal(memory.appends.length, 1);
});

test("a client that does not read its answers loses the connection", async (t) => {
  const stalled = { ...times, stalledTimeoutMs: 200 };
  const { service, metrics } = await serviceFor(t, { settings: { times: stalled } });
  const socket = await connected(t, service.url);
  const ask = headOf(service.url, { target: "/openapi.json" }).replace("Connection: close\r\n", "");
  // Until what the kernel takes is full on both sides.
  socket.write(ask.repeat(2_000));
  await until(async () => /bounds_met_total\{bound="request-time"\} 1/.test(await metrics.text()));
  await until(async () => /http_connections 0/.test(await metrics.text()));
});

test("the console's addresses say which methods they have", async (t) => {
  const { ask } = await serviceFor(t);
  const options = await ask("/console/letters", { method: "OPTIONS" });
  assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, HEAD, OPTIONS"]);
  const put = await ask("/console/replays/x/confirm", {
    method: "PUT",
    headers: { "sec-fetch-site": "same-origin" },
  });
  assert.deepEqual([put.status, put.headers.get("allow")], [405, "OPTIONS, POST"]);
});
