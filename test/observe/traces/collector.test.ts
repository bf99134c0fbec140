import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { openCollector } from "../../../src/observe/traces/collector.ts";

const variable = "OTEL_EXPORTER_OTLP_ENDPOINT";

test("a page of HTML is no collector's answer, whatever its status: Jaeger's port for browsers gives one for every address", async (t) => {
  let type = "text/html; charset=utf-8";
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, type === "" ? {} : { "content-type": type }).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  process.env[variable] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const collector = openCollector("test/1");
  t.after(() => {
    delete process.env[variable];
    collector.close();
    server.close();
  });
  const send = () => collector.send(new Uint8Array(), new AbortController().signal);
  const reason = "HTTP 200 with a page of HTML";
  assert.deepEqual(await send(), { ok: false, reason, isRetryable: false });
  for (type of ["application/x-protobuf", "application/json", ""])
    assert.deepEqual(await send(), { ok: true });
});
