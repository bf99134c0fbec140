/** The index on Kafka: what only a broker shows. */
import assert from "node:assert/strict";
import { keyOf } from "../../lab/testkit/enrollments.ts";
import { kafkaTest, openHarness, withAdmin } from "../log/kafka/harness.ts";
import { eventually } from "../log/kafka/waiting.ts";
import { event, indexPath, openOn, refused, registered, startMs } from "./topics.ts";

kafkaTest(
  "built, followed, opened again, and built again once a topic was deleted and made again",
  async (t) => {
    const harness = await openHarness(t);
    t.after(harness.close);
    const { log } = harness;
    const path = indexPath(t);
    const [a, b, c] = ["A", "B", "C"].map((machine) => event({ machine }));
    const stored = { ...b!, offset: 1, timestampMs: startMs, leaderEpoch: -1 };
    assert.deepEqual(await log.append([a!, b!, c!, registered({ machine: "A" }), refused(stored)]), {
      ok: true,
    });
    const first = openOn(log, path);
    await first.read();
    const states = ({ index }: typeof first) =>
      ["A", "B", "C"].map((machine) => index.find(keyOf({ machine }))?.state ?? null);
    assert.deepEqual(states(first), ["registered", "refused", "waiting"]);

    const stop = new AbortController();
    const following = first.index.follow(stop.signal);
    const settled = new Promise((resolve) => first.index.whenSettled(keyOf({ machine: "C" }), resolve));
    assert.deepEqual(await log.append([registered({ machine: "C", offset: 2 })]), { ok: true });
    await settled;
    stop.abort();
    await following;
    first.index.close();

    const second = openOn(log, path);
    await second.read();
    assert.deepEqual([states(second), second.notes], [["registered", "refused", "registered"], []]);

    const name = harness.name("registered");
    await withAdmin(async (admin) => {
      await admin.deleteTopics({ topics: [name] });
      const configEntries = [{ name: "cleanup.policy", value: "compact" }];
      const topics = [{ topic: name, numPartitions: 2, replicationFactor: 1, configEntries }];
      await eventually(() => admin.createTopics({ topics, waitForLeaders: true }).catch(() => null));
    });
    const other = await harness.another();
    assert.deepEqual(await other.append([registered({ machine: "C", offset: 2 })]), { ok: true });
    const { signal } = new AbortController();
    const rebuilt = () => second.notes.find(({ kind }) => kind === "rebuilt")?.message ?? null;
    await eventually(() => second.index.catchUp(signal).then((isRead) => (isRead ? rebuilt() : null)));
    assert.match(
      rebuilt() ?? "",
      /built again from the topics: the registered topic was deleted and made again/,
    );
    assert.deepEqual(states(second), ["waiting", "refused", "registered"]);
    second.index.close();
  },
);
