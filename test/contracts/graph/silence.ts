/** No answer: what may have been carried out, and what certainly was not. */
import assert from "node:assert/strict";
import { brief, clientId, type Define, request, requests } from "./harness.ts";

export function silenceCases(define: Define): void {
  const faults = [
    ["resetBefore", "reset, sent", 0],
    ["resetAfter", "reset, sent", 1],
    ["truncated", "malformed, sent", 1],
    ["portal", "malformed, sent", 0],
    ["redirect", "malformed, sent", 0],
    ["htmlBefore", "malformed, sent", 0],
    ["htmlAfter", "malformed, sent", 1],
  ] as const;
  for (const [fault, expected, effects] of faults) {
    for (const count of [1, 3]) {
      define(
        `${fault}, ${count} at a time: ${expected}`,
        async ({ graph, tenantId, setFault, inventory }) => {
          setFault(fault);
          const replies = await graph.create(tenantId, requests(count));
          assert.deepEqual(replies.map(brief), new Array(count).fill(expected));
          assert.equal(inventory(tenantId).length, effects * count);
        },
      );
    }
  }

  for (const form of ["bom", "gzip", "deflate", "brotli", "noLength", "wrongType"] as const) {
    define(`the outer form says nothing: ${form}`, async ({ graph, tenantId, setFault, inventory }) => {
      setFault(form);
      assert.deepEqual((await graph.create(tenantId, [request(4)])).map(brief), ["201"]);
      assert.deepEqual((await graph.create(tenantId, requests(3))).map(brief), ["201", "201", "201"]);
      assert.deepEqual((await graph.create(tenantId, [request(4)])).map(brief), ["409"]);
      const objects = inventory(tenantId);
      assert.deepEqual(await graph.list(tenantId), { kind: "listed", objects, incomplete: null });
    });
  }

  for (const fault of ["portal", "redirect", "htmlBefore"] as const) {
    define(`nothing is missing because something in between answers: ${fault}`, async (harness) => {
      const { graph, tenantId } = harness;
      await graph.create(tenantId, [request(1)]);
      harness.setFault(fault);
      assert.equal(brief(await graph.list(tenantId)), "malformed, sent");
      assert.equal(brief(await graph.get(tenantId, clientId(1))), "malformed, sent");
      assert.equal(brief(await graph.remove(tenantId, clientId(1))), "malformed, sent");
      assert.equal(harness.inventory(tenantId).length, 1);
    });
  }

  for (const count of [1, 3]) {
    define(`a time-out after the effect, ${count} at a time: sent, and settled in time`, async (harness) => {
      const { graph, tenantId, requestTimeoutMs } = harness;
      harness.setFault("slowAfter");
      const work = graph.create(tenantId, requests(count));
      await harness.until(() => harness.inventory(tenantId).length === count);
      harness.advance(requestTimeoutMs);
      assert.deepEqual((await work).map(brief), new Array(count).fill("timeout, sent"));
    });
  }

  define("where nothing listens: not sent", async (harness) => {
    await harness.refuseConnections();
    const { graph, tenantId } = harness;
    for (const count of [1, 3]) {
      const replies = await graph.create(tenantId, requests(count));
      assert.deepEqual(replies.map(brief), new Array(count).fill("connect, not sent"));
    }
    assert.equal(brief(await graph.list(tenantId)), "connect, not sent");
    assert.deepEqual(harness.inventory(tenantId), []);
  });
}

export function credentialCases(define: Define): void {
  define(
    "a refusal of the application itself is distinguished from a tenant's, and nothing is sent",
    async ({ graph, tenantId, inventory }) => {
      for (const count of [1, 3]) {
        const replies = await graph.create(tenantId, requests(count));
        assert.deepEqual(replies.map(brief), new Array(count).fill("application, not sent"));
      }
      assert.equal(brief(await graph.list(tenantId)), "application, not sent");
      assert.deepEqual(inventory(tenantId), []);
    },
    { wrongSecret: true },
  );
}
