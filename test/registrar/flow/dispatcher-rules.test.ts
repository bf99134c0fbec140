/** When a create begins, and whose: the dispatcher asked directly, with a lease and a gate that a test can look into. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contoso, detailsOf, fabrikam } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { createScriptedGraph } from "../../../lab/testkit/scripted-graph.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import { momentOf } from "../../../src/moment.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import { closeUntil } from "../../../src/policy/pacing.ts";
import type { Session, Standing } from "../../../src/ports.ts";
import type { Core } from "../../../src/registrar/flow/core.ts";
import { createDispatcher } from "../../../src/registrar/flow/dispatcher.ts";
import { createGates } from "../../../src/registrar/flow/gates.ts";
import { createTenants } from "../../../src/registrar/flow/tenants.ts";
import { createLease, renew } from "../../../src/registrar/ownership/lease.ts";
import type { Work } from "../../../src/registrar/ownership/partition.ts";
import { freshPartition } from "../fresh-partition.ts";
import { stageOf } from "../life.ts";

/** Records are told by their lane; what is answered has left. */
function given() {
  const time = virtualTime();
  const graph = createScriptedGraph(time);
  const events: RegistrarEvent[] = [];
  const seen = { commits: 0, reviewed: [] as string[], prepared: [] as string[] };
  graph.prepare = (tenantId) => void seen.prepared.push(tenantId);
  const ended = new AbortController().signal;
  const always = Number.POSITIVE_INFINITY;
  const lease = createLease({ ended, leaseMs: always, heldUntilMs: () => always } as unknown as Session);
  renew(lease, momentOf(time));
  const partition = freshPartition({ lease });
  const ports = {
    ...{ clock: time, graph, random: () => 0.5 },
    observe: (event: RegistrarEvent) => void events.push(event),
  };
  let createsWait = (_isOfIt: (tenantId: string) => boolean) => false;
  const gates = createGates(ports, settings.tenants);
  const gate: Core["gate"] = {
    ...gates,
    setCreatesWait(ask) {
      createsWait = ask;
    },
  };
  const standings = new Map<string, Standing>();
  const standingOf = (tenantId: string) => standings.get(tenantId) ?? "served";
  const core = {
    ...{ ports, gate, settings: { ...settings, tenants: { ...settings.tenants, standingOf } } },
    outside: { commitNow: () => seen.commits++ },
    raise(work: Work, { kind }: { readonly kind: string }) {
      work.stage = stageOf(kind === "posted" ? "posting" : "settled");
    },
  } as unknown as Core;
  const tenants = createTenants(ports, settings);
  const dispatcher = createDispatcher(core, tenants, ({ lane }) => void seen.reviewed.push(lane));
  const work = (lane: string, tenantId = contoso) => {
    const enrollment = { tenantId, details: detailsOf({ machine: lane }) };
    return { partition, lane, enrollment, idempotencyKey: lane, stage: stageOf("ready") } as unknown as Work;
  };
  const waits = (...tenantIds: readonly string[]) => createsWait((tenantId) => tenantIds.includes(tenantId));
  return { time, graph, partition, standings, seen, events, gate, tenants, dispatcher, work, waits };
}

// INV-ISOLATION
test("creates wait from when one is ready until the last of its tenant was answered, for each tenant apart", async () => {
  const { time, dispatcher, work, waits } = given();
  assert.equal(waits(contoso, fabrikam), false);
  dispatcher.enqueue(work("a"));
  assert.deepEqual([waits(contoso), waits(fabrikam)], [true, false], "ready");
  await time.rest();
  assert.deepEqual([waits(contoso), waits(fabrikam)], [true, false], "under way");
  await time.pass(20);
  assert.equal(waits(contoso, fabrikam), false);
});

test("a record that goes back to the front is posted again, before those that wait already", async () => {
  const { time, graph, dispatcher, work } = given();
  dispatcher.requeue(work("alone"));
  await time.pass(20);
  dispatcher.enqueue(work("b"));
  dispatcher.requeue(work("a"));
  await time.pass(20);
  assert.deepEqual(
    graph.asked.map(({ items }) => items.map(({ details }) => details.machineName)),
    [["alone"], ["a", "b"]],
  );
});

// INV-SERVED
test("a review takes all that still wait out of the queue of that tenant, also while it may not be posted to", async () => {
  const { time, graph, seen, tenants, dispatcher, work } = given();
  closeUntil(tenants.queueOf(contoso).pacing, time.nowMs() + 60_000);
  const parked = work("parked");
  for (const each of [work("a"), parked, work("b")]) dispatcher.enqueue(each);
  await time.pass(1_000);
  parked.stage = stageOf("parking");
  dispatcher.review(fabrikam);
  assert.deepEqual(seen.reviewed, []);
  dispatcher.review(contoso);
  assert.deepEqual(seen.reviewed, ["a", "b"]);
  await time.pass(120_000);
  assert.deepEqual(graph.asked, []);
});

// INV-SERVED
test("neither a token nor a create is asked for of a tenant that is not served: what waits is looked at again", async () => {
  const { time, graph, seen, standings, dispatcher, work } = given();
  standings.set(fabrikam, "paused");
  dispatcher.enqueue(work("a", fabrikam));
  dispatcher.enqueue(work("b"));
  await time.pass(1_000);
  assert.deepEqual([seen.prepared, seen.reviewed], [[contoso], ["a"]]);
  assert.deepEqual(
    graph.asked.map(({ tenantId }) => tenantId),
    [contoso],
  );
});

// INV-LEASE
test("a record whose partition is not held asks for a commit, and goes soon after it is", async () => {
  const { time, graph, partition, seen, dispatcher, work } = given();
  partition.confirmed = false;
  dispatcher.enqueue(work("a"));
  await time.rest();
  assert.deepEqual([seen.commits, graph.asked.length], [1, 0]);
  await time.pass(249);
  assert.equal(seen.commits, 1, "it waits, and does not ask all the time");
  partition.confirmed = true;
  await time.pass(1);
  assert.equal(graph.asked.length, 1);
});
