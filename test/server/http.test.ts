/** What holds for every request, whatever it asks for. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { readTlsFiles } from "../../src/server/auth/tls-files.ts";
import { acceptsJson } from "../../src/server/http/accept.ts";
import { originFailure } from "../../src/server/http/origin-check.ts";
import { preferredWaitS } from "../../src/server/http/prefer.ts";
import { attributeBytes } from "../../src/server/intake/binding.ts";
import { serviceFor } from "./service-harness.ts";

test("methods: HEAD and OPTIONS are answered, others are 405 with Allow, unknown paths 404", async (t) => {
  const { ask } = await serviceFor(t);
  assert.equal((await ask("/livez", { method: "HEAD" })).status, 200);
  const options = await ask("/events", { method: "OPTIONS", headers: { origin: "http://evil.example" } });
  assert.deepEqual([options.status, options.headers.get("allow")], [204, "OPTIONS, POST"]);
  for (const [name] of options.headers) assert.ok(!name.startsWith("access-control"), name);
  const get = await ask("/events");
  assert.deepEqual(
    [get.status, get.body.code, get.headers.get("allow")],
    [405, "method-not-allowed", "OPTIONS, POST"],
  );
  const patch = await ask("/enrollments/x", { method: "PATCH" });
  assert.deepEqual([patch.status, patch.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  assert.equal((await ask("/nothing")).status, 404);
  assert.equal((await ask("/events/")).status, 404);
  assert.equal((await ask("/%zz")).status, 400);
});

test("every answer has strict headers and none names the software", async (t) => {
  const { ask } = await serviceFor(t);
  for (const path of ["/livez", "/nothing", "/openapi.json", "/events", "/%zz"]) {
    const { headers } = await ask(path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(headers.get("cache-control"), "no-store", path);
    assert.match(headers.get("content-security-policy")!, /default-src 'none'/, path);
    assert.equal(headers.get("server"), null);
    assert.equal(headers.get("x-powered-by"), null);
  }
});

test("open on this machine, it answers to this machine's names alone", async (t) => {
  const { service } = await serviceFor(t);
  const statusFor = (host: string) =>
    new Promise((resolve, reject) => {
      const asked = request(`${service.url}/livez`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on("error", reject).end();
    });
  const { host } = new URL(service.url);
  assert.equal(await statusFor(host), 200);
  assert.equal(await statusFor("LOCALHOST:80"), 200);
  assert.equal(await statusFor("[::1]:8090"), 200);
  assert.equal(await statusFor("evil.example"), 421);
  assert.equal(await statusFor("127.0.0.1.evil.example"), 421);
});

test("/openapi.json describes every route, from the schemas by which requests are checked", async (t) => {
  const { ask } = await serviceFor(t);
  const { body } = await ask("/openapi.json");
  assert.equal(body.openapi, "3.1.0");
  assert.deepEqual(Object.keys(body.paths).sort(), [
    "/enrollments/{key}",
    "/events",
    "/livez",
    "/metrics",
    "/readyz",
  ]);
  const { content } = body.paths["/events"].post.requestBody;
  const event = content["application/cloudevents+json"].schema;
  assert.equal(event.properties.data.properties.machineName.maxLength, 256);
  assert.equal(content["application/cloudevents-batch+json"].schema.maxItems, 500);
});

test("what a browser could be made to send is refused, what a program sends is not", () => {
  const host = "localhost:8090";
  const code = (headers: object, method = "POST", open = true) =>
    originFailure({ host, ...headers }, method, open)?.code ?? null;
  assert.equal(code({}), null);
  assert.equal(code({ origin: "http://localhost:8090" }), null);
  assert.equal(code({ origin: "null" }), "cross-site");
  assert.equal(code({ origin: "http://localhost:9999" }), "cross-site");
  assert.equal(code({ "sec-fetch-site": "cross-site" }), "cross-site");
  assert.equal(code({ "sec-fetch-site": "same-origin" }), null);
  assert.equal(code({ "sec-fetch-site": "same-origin", origin: "https://public.example" }), null);
  assert.equal(code({ "sec-fetch-site": "cross-site" }, "GET"), null);
  assert.equal(code({ host: "rebound.example" }, "GET"), "host-unknown");
  assert.equal(code({ host: "registrar.example" }, "POST", false), null);
  assert.equal(code({ host: undefined }), "host-unknown");
});

test("Prefer: the first wait that can be read counts, at most the limit", () => {
  for (const [values, expected] of [
    [undefined, null],
    [["wait=30"], 30],
    [["respond-async, WAIT = 5"], 5],
    [['wait="7"; x=y'], 7],
    [["return=minimal", "wait=9, wait=3"], 9],
    [["wait=100000"], 60],
    [["wait=-1, wait"], null],
    [["wait=0"], 0],
  ] as const)
    assert.equal(preferredWaitS(values), expected, String(values));
});

test("Accept: JSON may be excluded", () => {
  for (const [accept, expected] of [
    [undefined, true],
    ["*/*", true],
    ["text/html, application/json;q=0.5", true],
    ["application/problem+json", true],
    ["text/html", false],
    ["application/json;q=0", false],
    ["application/json; q=0.001", true],
  ] as const)
    assert.equal(acceptsJson(accept), expected, String(accept));
});

test("attributes in headers: quoted strings are unquoted, then percent-decoded once", () => {
  for (const [value, expected] of [
    ["plain", "plain"],
    ["Euro%20%E2%82%AC", "Euro €"],
    ["%2541", "%41"],
    ["100%", "100%"],
    ["%zz", "%zz"],
    ['"a \\"b\\" %41"', 'a "b" A'],
    ['"', '"'],
  ] as const)
    assert.equal(Buffer.from(attributeBytes(value)).toString(), expected, value);
});

test("TLS files that can't serve are named with what to do", () => {
  const read = readTlsFiles("nowhere.pem", "nowhere-key.pem");
  assert.ok(!read.ok);
  assert.match(read.problem.message, /nowhere\.pem.*ENOENT/);
});
