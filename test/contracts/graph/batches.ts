/** Several objects in one call. */
import assert from "node:assert/strict";
import { answerOf, brief, type Define, request, requests } from "./harness.ts";

export function batchCases(define: Define): void {
  define("twenty in one batch are answered in their order", async ({ graph, tenantId, inventory }) => {
    const items = requests(20);
    const replies = await graph.create(tenantId, items);
    assert.deepEqual(
      replies.map((reply) => answerOf(reply).object),
      items.map(({ id, details }) => ({ id, ...details })),
    );
    assert.equal(inventory(tenantId).length, 20);
  });

  define("items fail on their own", async ({ graph, tenantId, inventory }) => {
    await graph.create(tenantId, [request(2)]);
    const replies = await graph.create(tenantId, requests(3));
    assert.deepEqual(replies.map(brief), ["201", "409", "201"]);
    assert.equal(inventory(tenantId).length, 3);
  });

  define("throttled items each say when to come back", async (harness) => {
    const { graph, tenantId } = harness;
    harness.setBehaviour({ retryAfter: "fractional" });
    harness.setFault("throttled");
    const replies = await graph.create(tenantId, requests(3));
    assert.deepEqual(replies.map(brief), ["429", "429", "429"]);
    for (const reply of replies) assert.match(answerOf(reply).retryAfter ?? "", /^\d+\.\d+$/);
    assert.deepEqual(harness.inventory(tenantId), []);
  });

  define("an item without an answer is unknown, the others are known", async (harness) => {
    const { graph, tenantId } = harness;
    harness.setFault("batchMissingItem");
    const replies = (await graph.create(tenantId, requests(5))).map(brief);
    assert.deepEqual(replies.toSorted(), ["201", "201", "201", "201", "malformed, sent"]);
    assert.equal(harness.inventory(tenantId).length, 5);
  });

  define("what can't be read of an answer is unknown", async ({ graph, tenantId, setFault, inventory }) => {
    setFault("batchMalformed");
    const replies = (await graph.create(tenantId, requests(3))).map(brief);
    const unknown = replies.filter((reply) => reply === "malformed, sent").length;
    assert.ok(unknown >= 1, replies.join("; "));
    assert.equal(unknown + replies.filter((reply) => reply === "201").length, 3, replies.join("; "));
    assert.equal(inventory(tenantId).length, 3);
  });

  const wholes = [
    ["batchThrottled", "429"],
    ["batchUnavailable", "503"],
    ["batchRefused", "400"],
  ] as const;
  for (const [fault, status] of wholes) {
    define(`a batch answered ${status} as a whole answers each item so`, async (harness) => {
      const { graph, tenantId } = harness;
      harness.setFault(fault);
      const replies = await graph.create(tenantId, requests(3));
      assert.deepEqual(replies.map(brief), new Array(3).fill(status));
      for (const reply of replies) assert.equal(answerOf(reply).ofBatch, true);
      assert.deepEqual(harness.inventory(tenantId), []);
      // Sent alone, they are judged alone.
      assert.equal(answerOf((await graph.create(tenantId, [request(1)]))[0]).ofBatch, false);
    });
  }

  define("an item's own refusal is not the batch's", async ({ graph, tenantId, setFault }) => {
    setFault("throttled");
    for (const reply of await graph.create(tenantId, requests(2))) {
      assert.equal(answerOf(reply).ofBatch, false);
    }
  });
}
