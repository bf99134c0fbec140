import assert from "node:assert/strict";
import { test } from "node:test";
import { createBroker } from "../../../lab/simulation/broker.ts";
import { createCoordinator } from "../../../lab/simulation/coordinator.ts";
import { createGroup, type Joined } from "../../../lab/simulation/group.ts";
import { createHistory } from "../../../lab/simulation/history.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { createScheduler } from "../../../lab/simulation/scheduler.ts";

const timeouts = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, instanceId: null };

async function open() {
  const scheduler = createScheduler(createRng("coordinator"));
  const history = createHistory(scheduler.nowMs);
  const part = (name: string) => ({ scheduler, history, rng: createRng(name) });
  const broker = createBroker(2, { first: 0, holes: 0 }, part("broker"));
  const isUp = (): boolean => broker.isUp() && coordinator.isAvailable();
  const group = createGroup({ partitionCount: 2, isUp }, part("group"));
  const coordinator = createCoordinator(broker, group, { scheduler, history });
  const runTo = (ms: number) => {
    scheduler.after(ms - scheduler.nowMs(), () => {});
    return scheduler.run(() => false, ms);
  };
  const joined: Joined[] = [];
  coordinator.join("a", timeouts, (answer) => void joined.push(answer!));
  await runTo(1_000);
  const { generation } = joined[0]!;
  return { coordinator, broker, group, generation, joined, runTo };
}

const commit = { topic: "enrolled", partition: 0, offset: 3, metadata: "" } as const;

test("a coordinator that is cut off keeps acknowledging heartbeats and stores nothing, while another one takes over", async () => {
  const { coordinator, broker, group, generation, runTo } = await open();
  assert.equal(coordinator.commit("a", generation, [commit])?.result, "committed");
  coordinator.cutOff(["a"], 2_000, 60_000);
  assert.equal(coordinator.heartbeat("b", generation), null, "the others reach none for a while");
  await runTo(30_000);
  const heard = coordinator.heartbeat("a", generation);
  assert.equal(heard?.result, "ok");
  assert.equal(group.memberCount(), 0, "at the other one its session is over");
  assert.equal(coordinator.commit("a", generation, [{ ...commit, offset: 9 }]), null);
  assert.equal(coordinator.committed("a")?.get("enrolled/0")?.offset, 3);
  broker.commit("b", { ...commit, offset: 7 });
  assert.equal(coordinator.committed("a")?.get("enrolled/0")?.offset, 3, "it answers from its memory");
  assert.equal(coordinator.committed("b")?.get("enrolled/0")?.offset, 7);
  await runTo(70_000);
  const later = coordinator.heartbeat("a", generation);
  assert.deepEqual([later?.result, later?.term], ["unknown", heard!.term + 1]);
});

test("after a coordinator moved, every member has its whole session time-out", async () => {
  const { coordinator, group, generation, runTo } = await open();
  await runTo(9_000);
  coordinator.move(1_000);
  assert.equal(coordinator.heartbeat("a", generation), null);
  await runTo(19_000);
  assert.equal(group.memberCount(), 1);
  await runTo(21_000);
  assert.equal(group.memberCount(), 0);
});
