/** What a list of a tenant's objects says, or why it says nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, silence } from "../../../lab/testkit/scripted-graph.ts";
import { failureOf, resultOf } from "../../../src/registrar/flow/read-list-answer.ts";

const listed = { kind: "listed", objects: [] } as const;
const noRoute = { message: "No OData route exists that match template" };

for (const [what, reply, failure, result] of [
  ["a whole list", { ...listed, incomplete: null }, null, 200],
  [
    "one that ends early: it proves nothing absent",
    { ...listed, incomplete: "a page" },
    { detail: "the list is not whole: a page", isRefusal: false },
    200,
  ],
  ["404: the tenant has no objects", answers(404).reply, null, 404],
  [
    "404 of a route that is not there: no list succeeds until that is changed",
    answers(404, noRoute).reply,
    { detail: `404 ${noRoute.message}`, isRefusal: true },
    404,
  ],
  [
    "403: no list succeeds until that is changed",
    answers(403).reply,
    { detail: "403", isRefusal: true },
    403,
  ],
  ["503: it may pass", answers(503).reply, { detail: "503", isRefusal: false }, 503],
  ["201, which no list is answered", answers(201).reply, { detail: "201", isRefusal: false }, 201],
  [
    "silence: it may pass",
    silence("timeout", true),
    { detail: "timeout: silent on request", isRefusal: false },
    "timeout",
  ],
  [
    "no token: no list succeeds until that is changed",
    silence("credential", false),
    { detail: "credential: silent on request", isRefusal: true },
    "credential",
  ],
] as const)
  test(what, () => {
    assert.deepEqual(failureOf(reply, 0), failure);
    assert.equal(resultOf(reply), result);
  });
