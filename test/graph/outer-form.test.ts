/** The meaning of an answer does not depend on its outer form. An answer from something else does not count as Graph's. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { GraphReply } from "../../src/graph-port.ts";
import { createRequest, exampleDetails, idOf, serve, tenantId } from "./fixtures.ts";
import { reply } from "./wire-server.ts";

const created = { id: idOf(1), ...exampleDetails };
const createdText = JSON.stringify(created);
const transientText = JSON.stringify({ error: { code: "InternalError", message: "{}" } });

/** As bytes, with a length by default. */
function bytes(status: number, body: Buffer, headers: Readonly<Record<string, string>> = {}): Buffer {
  const all = { "content-length": String(body.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} X\r\n${lines.join("\r\n")}\r\n\r\n`), body]);
}

async function createOne(context: TestContext, answer: string | Buffer): Promise<GraphReply> {
  const { graph, server } = await serve(context, ({ socket }) => socket.write(answer));
  const [result] = await graph.create(tenantId, [createRequest()]);
  assert.equal(server.requests.length, 1);
  return result!;
}

function brief(result: GraphReply): string {
  if (result.kind === "silence") return `${result.reason}, ${result.sent ? "sent" : "not sent"}`;
  return [result.status, result.object?.id, result.errorCode].filter((part) => part).join(" ");
}

const bom = Buffer.from([0xef, 0xbb, 0xbf]);
const withBom = (text: string) => Buffer.concat([bom, Buffer.from(text)]);
const forms: [string, (text: string) => Buffer, Record<string, string>][] = [
  ["a byte order mark", withBom, {}],
  ["gzip", (text) => gzipSync(text), { "content-encoding": "gzip" }],
  ["gzip of a byte order mark", (text) => gzipSync(withBom(text)), { "content-encoding": "GZIP" }],
  ["gzip that says nothing of it", (text) => gzipSync(text), {}],
  ["a header of gzip alone", (text) => Buffer.from(text), { "content-encoding": "gzip" }],
  ["deflate", (text) => deflateSync(text), { "content-encoding": "deflate" }],
  ["deflate without its header", (text) => deflateRawSync(text), { "content-encoding": "deflate" }],
  ["br", (text) => brotliCompressSync(text), { "content-encoding": "br" }],
  ["zstd", (text) => zstdCompressSync(text), { "content-encoding": "zstd" }],
  [
    "one encoding in another",
    (text) => brotliCompressSync(gzipSync(text)),
    { "content-encoding": "gzip, br" },
  ],
  ["identity", (text) => Buffer.from(text), { "content-encoding": "identity" }],
  ["another type", (text) => Buffer.from(text), { "content-type": "text/html" }],
];
for (const [what, form, headers] of forms) {
  test(`an answer with ${what} means the same`, async (context) => {
    assert.equal(brief(await createOne(context, bytes(201, form(createdText), headers))), `201 ${idOf(1)}`);
    const refused = await createOne(context, bytes(400, form(transientText), headers));
    assert.equal(brief(refused), "400 InternalError");
    const { graph } = await serve(context, ({ socket }) =>
      socket.write(bytes(200, form(`{"value":[${createdText}]}`), headers)),
    );
    assert.deepEqual(await graph.list(tenantId), { kind: "listed", objects: [created], incomplete: null });
    const responses = [1, 2].map((n) => ({ id: String(n), status: 201, body: { ...created, id: idOf(n) } }));
    const batch = await serve(context, ({ socket }) =>
      socket.write(bytes(200, form(JSON.stringify({ responses })), headers)),
    );
    const results = await batch.graph.create(tenantId, [createRequest(1), createRequest(2)]);
    assert.deepEqual(results.map(brief), [`201 ${idOf(1)}`, `201 ${idOf(2)}`]);
  });
}

test("an answer without a length ends with its connection", async (context) => {
  const { graph } = await serve(context, ({ socket }) =>
    socket.end(Buffer.concat([Buffer.from("HTTP/1.1 201 X\r\n\r\n"), withBom(createdText)])),
  );
  const [result] = await graph.create(tenantId, [createRequest()]);
  assert.equal(brief(result!), `201 ${idOf(1)}`);
});

const unreadable: [string, Buffer, string, RegExp][] = [
  ["is not what its encoding says", Buffer.from("no"), "br", /is not the br that it says/],
  ["has an encoding that is not known", Buffer.from("x"), "rot13", /encoded as rot13/],
  ["grows beyond the limit", gzipSync(Buffer.alloc(17 * 1024 * 1024)), "gzip", /is not the gzip/],
];
for (const [what, body, encoding, expected] of unreadable) {
  test(`a body that ${what} is an unknown outcome`, async (context) => {
    const result = await createOne(context, bytes(201, body, { "content-encoding": encoding }));
    assert.equal(brief(result), "malformed, sent");
    assert.match(JSON.stringify(result), expected);
  });
}

const html = "<!DOCTYPE html><html><body>Please log in.</body></html>";
const strangers: [string, string | Buffer, RegExp][] = [
  ["a captive portal's page", reply(200, html, { "content-type": "text/html" }), /HTML \(text\/html\)/],
  ["a page after a byte order mark", bytes(403, withBom(html)), /HTML/],
  [
    "a redirection",
    reply(302, html, { location: "https://login.portal.example/x?token=secret" }),
    /302.*leads to https:\/\/login\.portal\.example$/,
  ],
  ["a redirection within", reply(307, "", { location: "/login" }), /another path/],
  ["304", "HTTP/1.1 304 X\r\n\r\n", /304.*nowhere/],
  ["a proxy's 400", reply(400, html), /400, but not by Graph/],
  ["a proxy's 401", reply(401, html), /401, but not by Graph/],
  ["a proxy's 403", reply(403, html), /403, but not by Graph/],
  ["a proxy's 404", reply(404, html), /404, but not by Graph/],
  ["a proxy's 404 in plain text", reply(404, "no healthy upstream"), /not Graph's/],
  ["a gateway's 403 in JSON", reply(403, { message: "Forbidden" }), /not Graph's/],
  ["a proxy's 407", reply(407, html), /407, .*a user and password, set them in HTTPS_PROXY/],
  ["a proxy's empty 407", reply(407, ""), /407, .*a user and password, set them in HTTPS_PROXY/],
  ["a proxy's 409", reply(409, html), /409, but not by Graph/],
  ["a proxy's 501", reply(501, html), /501, but not by Graph/],
];
for (const [what, answer, expected] of strangers) {
  test(`${what} is not an answer of Graph: unknown, for one and for many, and no object is missing`, async (context) => {
    const result = await createOne(context, answer);
    assert.equal(brief(result), "malformed, sent");
    const { detail } = result as Extract<GraphReply, { kind: "silence" }>;
    assert.match(detail, expected);
    assert.doesNotMatch(detail, /secret/);
    const { graph } = await serve(context, ({ socket }) => socket.write(answer));
    const batch = await graph.create(tenantId, [createRequest(1), createRequest(2)]);
    assert.deepEqual(batch.map(brief), ["malformed, sent", "malformed, sent"]);
    assert.equal((await graph.list(tenantId)).kind, "silence");
    assert.equal((await graph.get(tenantId, idOf(1))).kind, "silence");
    assert.equal((await graph.remove(tenantId, idOf(1))).kind, "silence");
  });
}

test("without a body, or in trouble, Graph and whatever stands before it are taken at their word", async (context) => {
  for (const status of [400, 403, 404, 409, 429, 500, 502, 503, 504]) {
    assert.equal(brief(await createOne(context, reply(status, ""))), String(status));
  }
  for (const status of [429, 500, 502, 503, 504]) {
    const result = await createOne(context, reply(status, html, { "retry-after": "7" }));
    assert.deepEqual(result.kind === "answer" && [result.status, result.retryAfter], [status, "7"]);
  }
});
