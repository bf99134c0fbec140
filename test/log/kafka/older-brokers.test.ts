/**
 * The contract of the log on older brokers, direct and through Event Hubs' quirks. CI runs the oldest; all of them:
 * KAFKA_OLDER_BROKERS=all npm test -- test/log/kafka/older-brokers.test.ts
 */
import { after, test } from "node:test";
import { openEventHubsProxy } from "../../../lab/event-hubs/proxy.ts";
import { createRng } from "../../../lab/simulation/rng.ts";
import { skipWithout } from "../../../lab/testkit/broker.ts";
import { startJavaBroker } from "../../../lab/testkit/broker-java.ts";
import { systemClock } from "../../../src/clock.ts";
import { eventLogContract } from "../../contracts/event-log.ts";
import { features, openHarness } from "./harness.ts";

const versions = ["3.6.2", "3.9.1"] as const;
const isAll = process.env.KAFKA_OLDER_BROKERS === "all";

for (const version of isAll ? versions : versions.slice(0, 1)) {
  // It is never killed, and on a busy machine its heartbeats to itself come late.
  const broker = await startJavaBroker({ "broker.session.timeout.ms": "60000" }, [], version);
  const skip = skipWithout(broker);
  if (!broker.ok) test(`the event-log contract on Kafka ${version}`, { skip }, () => {});
  else {
    after(broker.stop);
    const { brokers } = broker;
    const clock = systemClock;
    const proxy = await openEventHubsProxy(brokers[0]!, { clock, random: createRng(version).next });
    after(() => proxy.close());
    eventLogContract(`Kafka log on ${version}`, features, (t) => openHarness(t, { brokers }, brokers));
    const quirks = { brokers: [proxy.address], flavor: "event-hubs", createTopics: true } as const;
    eventLogContract(`Kafka log on ${version} through Event Hubs' quirks`, features, (t) =>
      openHarness(t, quirks, brokers),
    );
  }
}
