/** In which order an answer of Graph is taken in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso } from "../../../lab/testkit/enrollments.ts";
import { createWorld, many } from "../../../lab/testkit/registrar-world.ts";
import type { GraphReply } from "../../../src/graph-port.ts";

test("where all of a batch were created, the next request goes out before these are written down", async (t) => {
  const world = createWorld(t);
  const { create } = world.graph;
  const written: number[] = [];
  world.graph.create = async (tenantId, items) => {
    written.push(worker.seen("graph-normalises").length);
    return (await create(tenantId, items)).map(inCapitals);
  };
  world.emit(...many(40, contoso));
  const worker = world.start({ maxInFlight: 1 });
  await world.untilRegistered(40);
  assert.deepEqual(written, [0, 0]);
  assert.equal(worker.seen("graph-normalises").length, 1);
});

/** What Graph did to the name is noticed when the first of them is written down. */
function inCapitals(reply: GraphReply): GraphReply {
  if (reply.kind !== "answer" || reply.object === null) return reply;
  return { ...reply, object: { ...reply.object, connectorName: reply.object.connectorName.toUpperCase() } };
}
