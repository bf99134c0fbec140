/** A large backlog on what stands for Event Hubs: it is drained without a connection that is closed for a request's size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openEventHubsProxy } from "../../../lab/event-hubs/proxy.ts";
import { graphAnswer } from "../../../lab/simulation/graph-answer.ts";
import { createRng, guid } from "../../../lab/simulation/rng.ts";
import { eventRecord } from "../../../lab/testkit/enrollments.ts";
import { settings as registrarSettings } from "../../../lab/testkit/registrar-world.ts";
import { systemClock, systemRandom } from "../../../src/clock.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import type { CreateRequest, Graph, GraphReply } from "../../../src/graph-port.ts";
import { startRegistrar } from "../../../src/registrar/registrar.ts";
import { brokers, openHarness, skip } from "./harness.ts";

const events = 20_000;
const partitionCount = 8;

/** Makes every object immediately, and counts. */
function countingGraph(): Graph & { readonly made: ReadonlyMap<string, number> } {
  const made = new Map<string, number>();
  const created = ({ details, id, idempotencyKey }: CreateRequest): GraphReply => {
    made.set(idempotencyKey, (made.get(idempotencyKey) ?? 0) + 1);
    return graphAnswer(201, { object: { id: id ?? idempotencyKey, ...details } });
  };
  const none = graphAnswer(404, { errorCode: "ResourceNotFound" });
  return {
    made,
    create: async (_, items) => items.map(created),
    list: async () => ({ kind: "listed", objects: [], incomplete: null }),
    get: async () => none,
    remove: async () => none,
  };
}

test(`${events} enrollments: each registered once, and no request was too large`, {
  skip,
  timeout: 600_000,
}, async (t) => {
  const rng = createRng("backlog");
  const parts = { clock: systemClock, random: rng.fork("proxy").next };
  const proxy = await openEventHubsProxy(brokers[0]!, parts, { unknownProducerShare: 0.02 });
  t.after(() => proxy.close());
  const place = { brokers: [proxy.address], flavor: "event-hubs", createTopics: true } as const;
  const changes = { ...place, partitionCount, sessionTimeoutMs: 30_000, publishTimeoutMs: 60_000 };
  const { log, close } = await openHarness(t, changes);
  const tenants = Array.from({ length: 24 }, () => guid(rng));
  const records = Array.from({ length: events }, (_, n) => {
    const tenant = tenants[n % tenants.length]!;
    return eventRecord({ tenant, machine: `HOST-${n}` }, homePartition(tenant, partitionCount));
  });
  assert.deepEqual(await log.append(records), { ok: true });

  const graph = countingGraph();
  const done = Promise.withResolvers<void>();
  let registered = 0;
  const registrar = startRegistrar(
    {
      ...{ log, graph, clock: systemClock, random: systemRandom },
      observe({ kind }) {
        if (kind === "record-registered") registered += 1;
        if (registered === events) done.resolve();
      },
    },
    {
      ...registrarSettings,
      windowRecords: 1_000,
      attemptAhead: 1_000,
      maxInFlight: 32,
      publishTimeoutMs: 60_000,
    },
  );
  await done.promise;
  await registrar.stop(1_000);
  await close();
  assert.equal(graph.made.size, events);
  assert.ok([...graph.made.values()].every((times) => times === 1));
  const { closedForSize, unlisted, unknownProducers, largestProduceBytes } = proxy.counts;
  assert.deepEqual({ closedForSize, unlisted }, { closedForSize: 0, unlisted: 0 });
  assert.ok(unknownProducers > 0);
  assert.ok(largestProduceBytes > 500_000, `the largest request had ${largestProduceBytes} bytes`);
});
