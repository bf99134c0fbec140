/**
 * A real Kafka broker for tests, from the first of these that there is: KAFKA_BROKERS, a Docker engine with the
 * Kafka image, Java with Maven. Where none is, the reason says what was looked for.
 */
import assert from "node:assert/strict";
import { startDockerBroker } from "./broker-docker.ts";
import { startJavaBroker } from "./broker-java.ts";

export interface Broker {
  readonly ok: true;
  readonly brokers: string[];
  /** What it runs on, for one line of output. */
  readonly kind: "given" | "docker" | "java";
  /** Ends the broker and removes its data. A broker that was given is left alone. */
  stop(): Promise<void>;
}

export interface OwnBroker extends Broker {
  /** Stops it in order and starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends it at once, as by kill -9; `start` brings it back on the same port and data. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

interface NoBroker {
  readonly ok: false;
  readonly reason: string;
}

export type BrokerResult = Broker | NoBroker;
export type OwnBrokerResult = OwnBroker | NoBroker;

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
