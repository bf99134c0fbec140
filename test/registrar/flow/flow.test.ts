/** The way of one record, step by step: what its partition knows of it meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, eventRecord, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { createMemoryLog } from "../../../lab/testkit/memory-log.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { createScriptedGraph } from "../../../lab/testkit/scripted-graph.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Session } from "../../../src/ports.ts";
import { createFlow } from "../../../src/registrar/flow/flow.ts";
import { enteredStage } from "../../../src/registrar/intake/stage.ts";
import { enter } from "../../../src/registrar/intake/window.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";

function given() {
  const time = virtualTime();
  const { log } = createMemoryLog(time, 1).connect(time, () => false);
  const events: RegistrarEvent[] = [];
  const ports = {
    ...{ log, graph: createScriptedGraph(time), clock: time, random: () => 0.5 },
    observe: (event: RegistrarEvent) => void events.push(event),
  };
  const asked = { commits: 0, settled: 0 };
  const flow = createFlow(ports, settings, {
    settled: () => asked.settled++,
    commitNow: () => asked.commits++,
    paused: () => assert.fail("no tenant is paused"),
    fault: ({ message }) => assert.fail(message),
  });
  const partition = freshPartition({
    lease: createLease({ ended: new AbortController().signal } as Session),
  });
  const work = (offset: number, tenantId = contoso) =>
    ({
      ...{ partition, topic: "enrolled", slot: enter(partition.window, offset), lane: tenantId },
      record: { ...eventRecord({}, 0), offset },
      ...{ idempotencyKey: `key ${offset}`, enrollment: { tenantId }, enteredAtMs: time.nowMs() },
      stage: enteredStage(null, 0, 0),
    }) as unknown as Work;
  return { flow, partition, events, asked, work };
}

test("of tenants with records on their way it is noted that they changed, and of no others: these may be any number", () => {
  const { flow, partition, events, asked, work } = given();
  flow.core.raise(work(0), { kind: "known" });
  assert.deepEqual([[...partition.touched], asked.settled], [[], 1]);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["record-duplicate"],
  );
  const accepted = work(1);
  flow.core.raise(accepted, { kind: "accepted", mustPark: false });
  assert.deepEqual([[...partition.touched], accepted.stage.at, asked.commits], [[contoso], "unpromised", 1]);
});

test("of a change of tenants it is noted for those that it is about", () => {
  const { flow, partition, work } = given();
  for (const one of [work(0), work(1, fabrikam)]) flow.core.raise(one, { kind: "accepted", mustPark: false });
  partition.touched.clear();
  flow.review(new Set([fabrikam]), [partition]);
  assert.deepEqual([...partition.touched], [fabrikam]);
});
