/**
 * The adapter through what stands for Event Hubs: a real broker behind a proxy that caps versions, bounds requests, delays
 * commits, forgets producers, closes idle and old connections, and describes no topic.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openEventHubsProxy } from "../../../lab/event-hubs/proxy.ts";
import type { Quirks } from "../../../lab/event-hubs/quirks.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { systemClock } from "../../../src/clock.ts";
import { openKafkaLog } from "../../../src/log/kafka/kafka-log.ts";
import type { NewRecord } from "../../../src/ports.ts";
import { eventLogContract } from "../../contracts/event-log.ts";
import { lookAgain } from "../../support/look-again.ts";
import { brokers, features, kafkaTest, openHarness, settingsFor, skip } from "./harness.ts";
import { eventually } from "./waiting.ts";

const openProxy = (changes: Partial<Quirks> = {}) =>
  openEventHubsProxy(brokers[0]!, { clock: systemClock, random: createRng("proxy").next }, changes);

/** Creates topics, as a test has to; a worker does not there. */
const through = (proxy: { readonly address: string }) =>
  ({ brokers: [proxy.address], flavor: "event-hubs", createTopics: true }) as const;

const aRecord = (value: Buffer, partition = 0): NewRecord => ({
  ...{ topic: "enrolled", partition, key: null, value, headers: [] },
});

if (skip) kafkaTest("through Event Hubs' quirks", async () => {});
else {
  const proxy = await openProxy({ unknownProducerShare: 0.1 });
  after(() => proxy.close());
  eventLogContract("Kafka log through Event Hubs' quirks", features, (t) => openHarness(t, through(proxy)));

  test("the contract used nothing that Event Hubs does not list, and no request was too large", () => {
    const { closedForSize, unlisted, unknownProducers } = proxy.counts;
    assert.deepEqual({ closedForSize, unlisted }, { closedForSize: 0, unlisted: 0 });
    assert.ok(unknownProducers > 0, "some appends were answered that their producer is not known");
  });

  kafkaTest("what can't be read of the topics is reported once, and opening continues", async (t) => {
    const own = await openProxy();
    t.after(() => own.close());
    const opened = await openKafkaLog(settingsFor(through(own)), systemClock);
    assert.ok(opened.ok, JSON.stringify(opened));
    t.after(opened.log.close);
    assert.deepEqual(
      opened.warnings.map(({ code }) => code),
      ["topic-settings-unseen"],
    );
    assert.equal(own.counts.configsRefused, 4);
  });

  kafkaTest("missing topics are not created by default: the template is named", async (t) => {
    const own = await openProxy();
    t.after(() => own.close());
    const opened = await openKafkaLog(settingsFor({ ...through(own), createTopics: false }), systemClock);
    assert.ok(!opened.ok);
    assert.equal(opened.problem.code, "topics-missing");
    assert.match(opened.problem.fix, /az deployment group create .*deploy\/azure\/event-hubs\.bicep/);
  });

  kafkaTest("records of many partitions together never make a request that is too large", async (t) => {
    const own = await openProxy();
    t.after(() => own.close());
    const { log, close } = await openHarness(t, { ...through(own), partitionCount: 8 });
    t.after(close);
    const values = Array.from({ length: 8 }, (_, partition) =>
      Array.from({ length: 20 }, () => aRecord(Buffer.alloc(50_000), partition)),
    );
    const results = await Promise.all(values.map((records) => log.append(records)));
    assert.ok(results.every(({ ok }) => ok));
    assert.equal(own.counts.closedForSize, 0);
    assert.ok(own.counts.largestProduceBytes > 800_000, String(own.counts.largestProduceBytes));
  });

  kafkaTest(
    "a connection that was closed while idle, or at its session's end, costs no append",
    async (t) => {
      const own = await openProxy({ idleMs: 300, sessionMs: 500 });
      t.after(() => own.close());
      // On a busy machine the opening may take so long that a connection is closed in the middle of it.
      const { log, close } = await eventually(() => openHarness(t, through(own)).catch(() => null));
      t.after(close);
      while (own.counts.closedIdle === 0 || own.counts.sessionsEnded === 0) {
        assert.deepEqual(await log.append([aRecord(Buffer.from("x"))]), { ok: true });
        const idle = own.counts.closedIdle;
        // Now and then nothing is sent until something was closed for that.
        if (own.counts.sessionsEnded > 0) while (own.counts.closedIdle === idle) await lookAgain();
      }
    },
  );

  kafkaTest("commits that come too often are late, and none is lost", async (t) => {
    const own = await openProxy();
    t.after(() => own.close());
    const { log, close } = await openHarness(t, through(own));
    t.after(close);
    const began = Promise.withResolvers<Parameters<Parameters<typeof log.join>[0]>[0]>();
    const membership = await log.join(began.resolve, began.reject);
    t.after(() => membership.leave());
    const session = await began.promise;
    for (let offset = 1; own.counts.commitsDelayed < 3; offset += 1) {
      const commit = { topic: "enrolled", partition: 0, offset, metadata: `m${offset}` } as const;
      assert.equal(await session.commit([commit]), "committed");
    }
    assert.equal(session.ended.aborted, false);
  });
}
