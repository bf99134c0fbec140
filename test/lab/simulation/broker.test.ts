import assert from "node:assert/strict";
import { test } from "node:test";
import { createBroker } from "../../../lab/simulation/broker.ts";
import { createHistory } from "../../../lab/simulation/history.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { createScheduler } from "../../../lab/simulation/scheduler.ts";

function open() {
  const scheduler = createScheduler(createRng("broker"));
  const history = createHistory(scheduler.nowMs);
  const broker = createBroker(1, { first: 0, holes: 0 }, { scheduler, history, rng: createRng("broker") });
  const store = () =>
    broker.store({ topic: "enrolled", partition: 0, key: null, value: null, headers: [] }, "installer");
  const commit = (offset: number) =>
    broker.commit("w", { topic: "enrolled", partition: 0, offset, metadata: "" });
  const isDiverged = (offset: number, leaderEpoch: number) =>
    broker.isDiverged("enrolled", 0, { offset, leaderEpoch });
  const harms = () => history.entries.filter((entry) => entry.kind === "log-lost");
  return { broker, store, commit, isDiverged, harms };
}

test("after an unclean election the log tells by leader epoch that it holds other records than were read", () => {
  const { broker, store, commit, isDiverged, harms } = open();
  const epochs = [store(), store(), store()].map(({ leaderEpoch }) => leaderEpoch);
  assert.equal(isDiverged(3, epochs[2]!), false);
  commit(3);
  broker.loseEnd("enrolled", 0, 1);
  assert.deepEqual(
    harms().map(({ end, mustBeTold }) => [end, mustBeTold]),
    [[1, true]],
  );
  assert.equal(isDiverged(3, epochs[2]!), true);
  assert.equal(isDiverged(1, epochs[0]!), false, "what is before it is as it was");
  const again = [store(), store(), store()];
  assert.deepEqual(
    again.map(({ offset }) => offset),
    [1, 2, 3],
  );
  assert.equal(isDiverged(3, epochs[2]!), true, "it has grown past the position since");
  assert.equal(isDiverged(3, again[1]!.leaderEpoch), false);
  assert.equal(isDiverged(3, -1), false, "not known");
});

test("a leader that moves loses nothing and leaves the partition without one for a while", () => {
  const { broker, store, isDiverged } = open();
  const first = store();
  broker.moveLeader("enrolled", 0, 500);
  assert.equal(broker.isLeaderless("enrolled", 0), true);
  const second = store();
  assert.ok(second.leaderEpoch > first.leaderEpoch);
  assert.equal(isDiverged(1, first.leaderEpoch), false);
});

test("a topic that is made again has another id, no records, and offsets from the start", () => {
  const { broker, store, commit, harms } = open();
  store();
  commit(1);
  const id = broker.topicId("enrolled");
  broker.recreate("enrolled", true);
  assert.notEqual(broker.topicId("enrolled"), id);
  assert.equal(broker.survey().enrolled.id, broker.topicId("enrolled"));
  assert.deepEqual(broker.bounds("enrolled", 0), { start: 0, end: 0 });
  assert.equal(broker.committed("enrolled", 0), null);
  assert.equal(harms()[0]!.mustBeTold, false, "without the commits it can't be seen");
  assert.equal(store().offset, 0);
});

test("a partition that retention emptied counts as committed only where the committed offset stands at its end", () => {
  const { broker, store, commit } = open();
  assert.equal(broker.isAllCommitted(), true, "nothing was ever stored");
  for (let i = 0; i < 3; i++) store();
  commit(1);
  broker.truncate("enrolled", 0, 3);
  assert.equal(broker.isAllCommitted(), false);
  commit(3);
  assert.equal(broker.isAllCommitted(), true);
});
