/**
 * A real Kafka broker for tests, from the first of these that there is: KAFKA_BROKERS, a Docker engine with the
 * Kafka image, Java with Maven. Where none is, the reason says what was looked for.
 */
import assert from "node:assert/strict";
import { startDockerBroker } from "./broker-docker.ts";
import { startJavaBroker } from "./broker-java.ts";
import type { BrokerResult, OwnBrokerResult } from "./broker-result.ts";

export async function obtainBroker(): Promise<BrokerResult> {
  const given = process.env.KAFKA_BROKERS;
  if (given) {
    const brokers = given.split(",").map((address) => address.trim());
    return { ok: true, kind: "given", brokers, stop: async () => {} };
  }
  return startOwnBroker();
}

/** A broker of the caller's own, also where KAFKA_BROKERS is set: to be killed, or to be set up otherwise. */
export async function startOwnBroker(
  properties: Record<string, string> = {},
  scramUsers: readonly string[] = [],
): Promise<OwnBrokerResult> {
  const plain = Object.keys(properties).length === 0;
  const docker = plain ? await startDockerBroker() : { ok: false as const, reason: "not tried" };
  if (docker.ok) return docker;
  const java = await startJavaBroker(properties, scramUsers);
  if (java.ok) return java;
  return { ok: false, reason: `KAFKA_BROKERS is not set; Docker: ${docker.reason}; Java: ${java.reason}` };
}

/** For a suite's `skip` option: false when there is a broker; with REQUIRE_KAFKA=1 a missing one is a failure. */
export function skipWithout(broker: BrokerResult): string | false {
  if (broker.ok) return false;
  assert.notEqual(
    process.env.REQUIRE_KAFKA,
    "1",
    `REQUIRE_KAFKA=1, but there is no broker: ${broker.reason}`,
  );
  return `no Kafka broker: ${broker.reason}`;
}
