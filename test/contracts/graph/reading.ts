/** Lists, single objects, removal. */
import assert from "node:assert/strict";
import type { ListReply } from "../../../src/graph-port.ts";
import { answerOf, brief, clientId, type Define, request, requests } from "./harness.ts";

export function readingCases(define: Define): void {
  listCases(define);
  partialListCases(define);

  for (const wrapEntity of [false, true]) {
    const shape = wrapEntity ? "wrapped in value" : "bare";
    define(`one object by id, ${shape}`, async ({ graph, tenantId, setBehaviour }) => {
      setBehaviour({ wrapEntity });
      await graph.create(tenantId, [request(1)]);
      const { status, object } = answerOf(await graph.get(tenantId, clientId(1)));
      assert.deepEqual([status, object], [200, { id: clientId(1), ...request(1).details }]);
    });
  }

  define("what isn't there is a 404, and so is what was removed", async ({ graph, tenantId, inventory }) => {
    assert.equal(brief(await graph.get(tenantId, clientId(1))), "404");
    await graph.create(tenantId, [request(1)]);
    assert.equal(brief(await graph.remove(tenantId, clientId(1))), "204");
    assert.equal(brief(await graph.remove(tenantId, clientId(1))), "404");
    assert.deepEqual(inventory(tenantId), []);
  });
}

/** What was read counts, why there may be more is said, and no list fails as a whole for it. */
function partialListCases(define: Define): void {
  const forms = [
    ["circle", [1, 2, 3], /circle/],
    ["elsewhere", [1, 2, 3], /not followed/],
    ["empty-link", [1, 2, 3], /empty/],
    ["endless", [], /more than 1000 pages/],
    ["hole", [1, 2], /1 items are unreadable/],
    ["no-object", [1, 2], /1 items are unreadable/],
  ] as const;
  for (const [listForm, seen, why] of forms) {
    define(`a list that fails in part is incomplete: ${listForm}`, async (harness) => {
      const { graph, tenantId } = harness;
      await graph.create(tenantId, requests(3));
      harness.setBehaviour({ listForm });
      const reply = await graph.list(tenantId);
      assert.equal(reply.kind, "listed", JSON.stringify(reply));
      const { objects, incomplete } = reply as Extract<ListReply, { kind: "listed" }>;
      assert.deepEqual(
        objects.map(({ id }) => id),
        seen.map((n) => clientId(n)),
      );
      assert.match(incomplete ?? "complete", why);
    });
  }
}

function listCases(define: Define): void {
  define("a list holds every page", async ({ graph, tenantId, setBehaviour, inventory }) => {
    setBehaviour({ pageSize: 3 });
    await graph.create(tenantId, requests(8));
    assert.equal(inventory(tenantId).length, 8);
    assert.deepEqual(await graph.list(tenantId), {
      kind: "listed",
      objects: inventory(tenantId),
      incomplete: null,
    });
  });

  define("a tenant without objects has an empty list", async ({ graph, tenantId }) => {
    assert.deepEqual(await graph.list(tenantId), { kind: "listed", objects: [], incomplete: null });
  });

  define("a list may lag, a get does not", async ({ graph, tenantId, setBehaviour, advance, inventory }) => {
    setBehaviour({ listLagMs: 3_000 });
    await graph.create(tenantId, [request(1)]);
    assert.deepEqual(await graph.list(tenantId), { kind: "listed", objects: [], incomplete: null });
    assert.equal(answerOf(await graph.get(tenantId, clientId(1))).object?.id, clientId(1));
    advance(3_000);
    assert.deepEqual(await graph.list(tenantId), {
      kind: "listed",
      objects: inventory(tenantId),
      incomplete: null,
    });
  });

  define(
    "a list that is throttled or cut off does not count as a list",
    async ({ graph, tenantId, setFault }) => {
      await graph.create(tenantId, [request(1)]);
      setFault("throttled");
      assert.equal(brief(await graph.list(tenantId)), "429");
      setFault("truncated");
      assert.equal(brief(await graph.list(tenantId)), "malformed, sent");
    },
  );
}
