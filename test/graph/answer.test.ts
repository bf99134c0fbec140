/** What an answer of Graph says, read from its parts; over the wire it is in outer-form.test.ts and batch-and-list.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  headerOf,
  isGraphsRefusal,
  parseJson,
  readAnswer,
  readPage,
  readRawAnswer,
  requireObject,
} from "../../src/graph/answer.ts";
import type { RawAnswer } from "../../src/graph/exchange.ts";
import { exampleDetails } from "./fixtures.ts";

const object = { id: "an-id", ...exampleDetails };
const raw = (status: number, body: string, headers: RawAnswer["headers"] = {}): RawAnswer => ({
  kind: "raw",
  status,
  headers,
  body,
});

test("text is JSON with or without a byte order mark, or nothing", () => {
  assert.deepEqual(
    [parseJson('{"a":1}'), parseJson('\ufeff{"a":1}'), parseJson("\ufeff\ufeff1"), parseJson("no")],
    [{ a: 1 }, { a: 1 }, undefined, undefined],
  );
});

describe("an object is read from the body of a success", () => {
  const table: [what: string, body: unknown, id: string | null][] = [
    ["bare", object, "an-id"],
    ["wrapped", { value: object }, "an-id"],
    ["not with an empty id", { ...object, id: "" }, null],
    ["not with an id that is not text", { ...object, id: 7 }, null],
    ["not from a list", [object], null],
    ["not from a list in a wrapper", { value: [object] }, null],
    ["not from nothing", null, null],
    ["not from a body that is not JSON", undefined, null],
  ];
  for (const [what, body, id] of table)
    test(what, () => assert.equal(readAnswer({ status: 201, headers: {} }, body).object?.id ?? null, id));

  test("members that are absent or no text are empty, the others are as they came", () => {
    const { connectorName, ...rest } = object;
    assert.deepEqual(readAnswer({ status: 201, headers: {} }, object).object, object);
    const read = readAnswer({ status: 201, headers: {} }, { ...rest, connectorVersion: null }).object;
    assert.deepEqual(read, { ...object, connectorName: "", connectorVersion: "" });
  });

  test("from 200 to 299; an error only outside", () => {
    const body = { ...object, error: { code: "C", message: "M" } };
    const read = (status: number) => {
      const { object, errorCode, errorMessage } = readAnswer({ status, headers: {} }, body);
      return [object?.id ?? null, errorCode, errorMessage];
    };
    for (const status of [200, 299]) assert.deepEqual(read(status), ["an-id", "", ""], `${status}`);
    for (const status of [199, 300, 400]) assert.deepEqual(read(status), [null, "C", "M"], `${status}`);
    for (const wrong of [null, {}, { error: "text" }, { error: { code: 7 } }])
      assert.deepEqual(readAnswer({ status: 400, headers: {} }, wrong).errorCode, "", JSON.stringify(wrong));
  });
});

test("a header is found in any case, the first of several, and a number is text", () => {
  const headers = { "Retry-After": ["5", "9"], DATE: "now", "x-count": 3, odd: {} };
  const names = ["retry-after", "date", "x-count", "odd", "retry-afte", "missing"];
  assert.deepEqual(
    names.map((name) => headerOf(headers, name)),
    ["5", "now", "3", null, null, null],
  );
});

test("the request id is the answer's own, else the error's, else the batch's", () => {
  const error = { innerError: { "request-id": "inner" } };
  const ids = [
    readAnswer({ status: 400, headers: { "request-id": "own" }, requestId: "batch" }, { error }),
    readAnswer({ status: 400, headers: {}, requestId: "batch" }, { error }),
    readAnswer({ status: 400, headers: {}, requestId: "batch" }, { error: { innererror: "text" } }),
    readAnswer({ status: 400, headers: {} }, {}),
  ].map(({ requestId }) => requestId);
  assert.deepEqual(ids, ["own", "inner", "batch", null]);
});

describe("who answered", () => {
  const graphs = JSON.stringify({ error: { code: "C" } });
  const html = { "content-type": "text/html" };
  const table: [what: string, answer: RawAnswer, result: number | RegExp][] = [
    ["an object", raw(201, JSON.stringify(object)), 201],
    ["an error of Graph", raw(400, graphs), 400],
    ["no body", raw(404, " "), 404],
    ["who throttles, whatever the body", raw(429, "<html>"), 429],
    ["who is in trouble, whatever the body", raw(500, "<html>"), 500],
    ["not with a page that says that an operation is missing", raw(501, "<html>"), /501.*HTML/],
    ["not with a page", raw(200, "<!DOCTYPE html>", html), /a page of HTML \(text\/html\)/],
    ["not with another body", raw(404, "nothing here"), /not Graph's \(of no type\)/],
    ["not with JSON without an error", raw(404, "{}"), /not Graph's/],
    ["not with a list", raw(200, "[]"), /not Graph's/],
    ["not below 200", raw(199, graphs), /leads to nowhere/],
    [
      "not with a redirection",
      raw(300, graphs, { location: "https://portal.example/a?secret" }),
      /to https:\/\/portal.example:? ?$/,
    ],
    ["not with a redirection within", raw(399, graphs, { location: "/login" }), /to another path/],
  ];
  for (const [what, answer, result] of table)
    test(what, () => {
      const read = readRawAnswer(answer);
      if (typeof result === "number") assert.equal(read.kind === "answer" && read.status, result);
      else {
        assert.ok(read.kind === "silence" && read.reason === "malformed" && read.sent);
        assert.match(read.detail, result);
      }
    });

  test("a proxy that wants a password speaks for itself alone, so the request counts as sent", () => {
    const read = readRawAnswer(raw(407, graphs));
    assert.ok(read.kind === "silence" && read.reason === "malformed" && read.sent);
    assert.match(read.detail, /HTTPS_PROXY/);
  });

  test("a 401 did nothing only where it is Graph's own", () => {
    const answers = [raw(401, graphs), raw(401, ""), raw(401, "<html>"), raw(403, graphs)];
    assert.deepEqual(answers.map(isGraphsRefusal), [true, true, false, false]);
  });
});

test("an answer that is read from its own parts is not a batch's", () => {
  for (const status of [201, 400])
    assert.equal(readAnswer({ status, headers: {} }, object).ofBatch, false, `${status}`);
});

test("a success without an object does not count as an answer, and names its request", () => {
  const without = requireObject(readAnswer({ status: 201, headers: { "request-id": "r-1" } }, {}));
  assert.ok(without.kind === "silence" && without.sent && without.reason === "malformed");
  assert.match(without.detail, /answered 201 .*; request-id r-1$/);
  const nameless = requireObject(readAnswer({ status: 200, headers: {} }, {}));
  assert.ok(nameless.kind === "silence" && /readable object$/.test(nameless.detail));
  assert.equal(requireObject(without), without);
  for (const answer of [
    readAnswer({ status: 201, headers: {} }, object),
    readAnswer({ status: 400, headers: {} }, {}),
    readAnswer({ status: 300, headers: {} }, {}),
    readAnswer({ status: 199, headers: {} }, {}),
  ])
    assert.equal(requireObject(answer), answer);
});

test("a page has its objects, what is unreadable in it, and the link to the next page", () => {
  const page = JSON.stringify({ value: [object, { id: "" }, 7], "@odata.nextLink": "on" });
  assert.deepEqual(readPage(page), { objects: [object], unreadable: 2, nextLink: "on" });
  assert.deepEqual(readPage('{"value":[]}'), { objects: [], unreadable: 0, nextLink: null });
  for (const body of ["[]", "{}", '{"value":{}}', "no"]) assert.equal(readPage(body), null, body);
});
