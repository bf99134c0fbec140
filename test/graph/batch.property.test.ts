/** The `$batch` mapping under any answer: each item gets the answer that carries its own id, or is in doubt. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchToCreate, readBatch } from "../../src/graph/batch.ts";
import type { CreateRequest } from "../../src/graph-port.ts";
import { createRequest } from "./fixtures.ts";

/** What the server does with one item. */
const fate = fc.oneof(
  fc.record({
    kind: fc.constant("answered" as const),
    status: fc.constantFrom(201, 400, 409, 429, 500, 503),
  }),
  fc.record({
    kind: fc.constantFrom("missing" as const, "twice" as const, "nonsense" as const),
    status: fc.constant(0),
  }),
);

const itemOf = (id: string, status: number) => ({
  id,
  status,
  headers: { "Retry-After": id },
  body:
    status === 201
      ? { id: `object-${id}`, machineName: id }
      : { error: { code: `code-${id}`, message: "m" } },
});

test("whatever the order, whatever is missing, doubled or nonsense: no item gets another's answer", () => {
  const fates = fc.array(fate, { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(
      fates,
      fc.infiniteStream(fc.nat()),
      fc.array(fc.jsonValue(), { maxLength: 3 }),
      (given, picks, noise) => {
        const responses: unknown[] = [];
        given.forEach(({ kind, status }, index) => {
          const id = String(index + 1);
          if (kind === "answered") responses.push(itemOf(id, status));
          if (kind === "twice") responses.push(itemOf(id, 201), itemOf(id, 400));
          if (kind === "nonsense") responses.push({ id, status: "201", body: null });
        });
        for (const value of noise) responses.push({ noise: value });
        for (let i = responses.length - 1; i > 0; i--) {
          const j = (picks.next().value as number) % (i + 1);
          [responses[i], responses[j]] = [responses[j], responses[i]];
        }
        const replies = readBatch(
          { kind: "raw", status: 200, headers: {}, body: JSON.stringify({ responses }) },
          given.length,
        );
        assert.equal(replies.length, given.length);
        for (const [index, reply] of replies.entries()) {
          const id = String(index + 1);
          const { kind, status } = given[index]!;
          if (kind !== "answered") {
            assert.ok(reply.kind === "silence" && reply.sent, `item ${id}`);
            continue;
          }
          assert.ok(reply.kind === "answer", `item ${id}`);
          assert.deepEqual([reply.status, reply.retryAfter], [status, id]);
          if (status === 201) assert.equal(reply.object?.id, `object-${id}`);
          else assert.equal(reply.errorCode, `code-${id}`);
        }
      },
    ),
  );
});

test("any text as an answer gives every item an answer or a doubt, and never throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json()),
      fc.integer({ min: 100, max: 599 }),
      fc.integer({ min: 2, max: 20 }),
      (body, status, count) => {
        const replies = readBatch({ kind: "raw", status, headers: {}, body }, count);
        assert.equal(replies.length, count);
        for (const reply of replies) assert.ok(reply.kind === "answer" ? reply.object === null : reply.sent);
      },
    ),
  );
});

test("a batch carries each request once, in order, under an id of its own", () => {
  const request = fc.record({
    id: fc.option(fc.uuid()),
    idempotencyKey: fc.uuid(),
    clientRequestId: fc.uuid(),
  });
  fc.assert(
    fc.property(fc.array(request, { minLength: 2, maxLength: 20 }), (given) => {
      const items: CreateRequest[] = given.map((one, n) => ({ ...createRequest(n), ...one }));
      const { requests } = JSON.parse(batchToCreate(items)) as { requests: Record<string, never>[] };
      assert.equal(new Set(requests.map(({ id }) => String(id).toLowerCase())).size, given.length);
      items.forEach((item, n) => {
        const { headers, body } = requests[n] as unknown as {
          headers: Record<string, string>;
          body: Record<string, string>;
        };
        assert.equal(headers["Idempotency-Key"], item.idempotencyKey);
        assert.equal(body.machineName, item.details.machineName);
        assert.equal(body.id ?? null, item.id);
      });
    }),
  );
});
