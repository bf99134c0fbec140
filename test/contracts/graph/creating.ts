/** One object created, or refused. */
import assert from "node:assert/strict";
import { answerOf, clientId, type Define, request, requests } from "./harness.ts";

export function creationCases(define: Define): void {
  successCases(define);
  refusalCases(define);
}

function successCases(define: Define): void {
  define(
    "a created object comes back to the last digit, and is there",
    async ({ graph, tenantId, inventory }) => {
      const [reply] = await graph.create(tenantId, [request(1, null)]);
      const { status, object, errorCode, retryAfter, requestId } = answerOf(reply);
      assert.deepEqual([status, errorCode, retryAfter], [201, "", null]);
      assert.notEqual(object?.id ?? "", "");
      assert.deepEqual(object, { id: object?.id, ...request(1).details });
      assert.notEqual(requestId ?? "", "");
      assert.deepEqual(inventory(tenantId), [object]);
    },
  );

  define("nothing to create is nothing done", async ({ graph, tenantId, inventory }) => {
    assert.deepEqual(await graph.create(tenantId, []), []);
    assert.deepEqual(inventory(tenantId), []);
  });

  define("an id that is honoured names the object", async ({ graph, tenantId }) => {
    const [reply] = await graph.create(tenantId, [request(1)]);
    assert.equal(answerOf(reply).object?.id, clientId(1));
  });

  define("an id that is ignored is replaced", async ({ graph, tenantId, setBehaviour, inventory }) => {
    setBehaviour({ idMode: "ignore" });
    const [reply] = await graph.create(tenantId, [request(1)]);
    const { status, object } = answerOf(reply);
    assert.equal(status, 201);
    assert.notEqual(object?.id, clientId(1));
    assert.deepEqual(inventory(tenantId), [object]);
  });

  define("what the server makes of the values is what comes back", async (harness) => {
    const { graph, tenantId } = harness;
    harness.setBehaviour({ normalise: ["utc", "seconds", "trimmed-names"] });
    const { details, ...rest } = request(1);
    const [reply] = await graph.create(tenantId, [
      { ...rest, details: { ...details, machineName: " a b " } },
    ]);
    const { object } = answerOf(reply);
    assert.equal(object?.machineName, "a b");
    assert.equal(object?.enrollmentDateTime, "2017-01-01T07:57:59Z");
    assert.deepEqual(harness.inventory(tenantId), [object]);
    assert.deepEqual(answerOf(await graph.get(tenantId, object!.id)).object, object);
  });

  define("tenants are apart", async ({ graph, tenantId, otherTenantId, inventory }) => {
    await graph.create(tenantId, [request(1)]);
    await graph.create(otherTenantId, [request(2)]);
    assert.equal(inventory(tenantId)[0]?.machineName, "machine-1");
    assert.equal(inventory(otherTenantId)[0]?.machineName, "machine-2");
    assert.deepEqual(await graph.list(tenantId), {
      kind: "listed",
      objects: inventory(tenantId),
      incomplete: null,
    });
  });
}

function refusalCases(define: Define): void {
  define("an id twice is a 409, and one object", async ({ graph, tenantId, inventory }) => {
    await graph.create(tenantId, [request(1)]);
    const [reply] = await graph.create(tenantId, [request(1)]);
    const { status, object } = answerOf(reply);
    assert.deepEqual([status, object], [409, null]);
    assert.equal(inventory(tenantId).length, 1);
  });

  define(
    "a refused id is a 400 with code and message",
    async ({ graph, tenantId, setBehaviour, inventory }) => {
      setBehaviour({ idMode: "refuse" });
      const [reply] = await graph.create(tenantId, [request(1)]);
      const { status, object, errorCode, errorMessage, requestId } = answerOf(reply);
      assert.deepEqual([status, object], [400, null]);
      for (const text of [errorCode, errorMessage, requestId ?? ""]) assert.notEqual(text, "");
      assert.deepEqual(inventory(tenantId), []);
    },
  );

  const forms = [
    ["seconds", /^\d+$/],
    ["fractional", /^\d+\.\d+$/],
    ["http-date", /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/],
  ] as const;
  for (const [retryAfter, form] of forms) {
    define(`a 429 hands on Retry-After as it came: ${retryAfter}`, async (harness) => {
      const { graph, tenantId } = harness;
      harness.setBehaviour({ retryAfter });
      harness.setFault("throttled");
      const [reply] = await graph.create(tenantId, [request(1)]);
      assert.equal(answerOf(reply).status, 429);
      assert.match(answerOf(reply).retryAfter ?? "", form);
      assert.deepEqual(harness.inventory(tenantId), []);
    });
  }

  define("a 429 without Retry-After says so", async ({ graph, tenantId, setFault }) => {
    setFault("throttledBare");
    const { status, retryAfter } = answerOf((await graph.create(tenantId, [request(1)]))[0]);
    assert.deepEqual([status, retryAfter], [429, null]);
  });

  define("Intune's passing 400 keeps its code and message", async ({ graph, tenantId, setFault }) => {
    setFault("internalError");
    const { status, errorCode, errorMessage } = answerOf((await graph.create(tenantId, [request(1)]))[0]);
    assert.deepEqual([status, errorCode], [400, "InternalError"]);
    assert.equal(typeof JSON.parse(errorMessage), "object");
  });

  for (const [fault, status] of [
    ["unavailableAfter", 503],
    ["bandwidthAfter", 509],
    ["lockedAfter", 423],
  ] as const) {
    define(`a ${status} is an answer, also where it was carried out`, async (harness) => {
      harness.setFault(fault);
      for (const count of [1, 2]) {
        const items = requests(count).map((item) => ({ ...item, id: null }));
        const replies = await harness.graph.create(harness.tenantId, items);
        assert.deepEqual(
          replies.map((reply) => answerOf(reply).status),
          new Array(count).fill(status),
        );
      }
      assert.equal(harness.inventory(harness.tenantId).length, 3);
    });
  }

  define("every answer says when it was given", async ({ graph, tenantId, setBehaviour, setFault }) => {
    setBehaviour({ retryAfter: "http-date" });
    setFault("throttled");
    for (const count of [1, 2]) {
      for (const reply of await graph.create(tenantId, requests(count))) {
        const { date, retryAfter } = answerOf(reply);
        const waitMs = Date.parse(retryAfter ?? "") - Date.parse(date ?? "");
        assert.ok(waitMs > 0 && waitMs <= 3_000, `${date}: ${retryAfter}`);
      }
    }
  });

  define(
    "a 500 is an answer, and nothing is tried again",
    async ({ graph, tenantId, setFault, inventory }) => {
      setFault("errorAfter");
      const [reply] = await graph.create(tenantId, [request(1, null)]);
      assert.equal(answerOf(reply).status, 500);
      assert.equal(inventory(tenantId).length, 1);
    },
  );
}
