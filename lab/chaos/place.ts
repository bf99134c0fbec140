/** Brokers of a run's own, since they are killed: the testkit's. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { topicName } from "../../src/domain/topics.ts";
import type { Problem } from "../../src/problem.ts";
import { openEventHubsProxy } from "../event-hubs/proxy.ts";
import type { ProxyCounts } from "../event-hubs/shared.ts";
import { createRng } from "../simulation/rng.ts";
import { startOwnBroker } from "../testkit/broker.ts";
import { startCluster } from "../testkit/broker-cluster.ts";
import { type Brokers, type Cluster, cluster, oneBroker } from "./brokers.ts";
import { groupId, workers } from "./environment.ts";
import { openLinks, ownListener, workerListener } from "./links.ts";
import type { ChaosOptions } from "./options.ts";

export interface ChaosPlace {
  readonly brokers: Brokers;
  /** Null: one broker. */
  readonly cluster: Cluster | null;
  /** What the proxy that stands for Event Hubs did; null: there is none. */
  readonly proxy: Readonly<ProxyCounts> | null;
  close(): Promise<void>;
}

export type PlaceResult =
  | { readonly ok: true; readonly place: ChaosPlace }
  | { readonly ok: false; readonly problem: Problem };

export async function openPlace(
  { brokers, flavor, seed }: Pick<ChaosOptions, "brokers" | "flavor" | "seed">,
  directory: string,
  interrupted: AbortSignal,
): Promise<PlaceResult> {
  if (brokers === 3) return openThree(directory, interrupted);
  return flavor === "event-hubs" ? openNamespace(seed) : openOne();
}

async function openOne(): Promise<PlaceResult> {
  const broker = await startOwnBroker();
  if (!broker.ok) return without(1, broker.reason);
  const brokers = oneBroker(broker, systemClock);
  return { ok: true, place: { brokers, cluster: null, proxy: null, close: () => broker.stop() } };
}

/** More often, and sooner, than there: a run lasts minutes. */
const quirks = { unknownProducerShare: 0.03, idleMs: 20_000, sessionMs: 15_000 };

async function openNamespace(seed: number): Promise<PlaceResult> {
  const broker = await startOwnBroker();
  if (!broker.ok) return without(1, broker.reason);
  const random = createRng(`proxy/${seed}`).next;
  const proxy = await openEventHubsProxy(broker.brokers[0]!, { clock: systemClock, random }, quirks);
  const { kill, start } = broker;
  const brokers = oneBroker({ brokers: [proxy.address], kill, start }, systemClock);
  const close = async () => {
    await proxy.close();
    await broker.stop();
  };
  return { ok: true, place: { brokers, cluster: null, proxy: proxy.counts, close } };
}

const topics = (["enrolled", "retry", "registered", "dlq"] as const).map((role) => topicName(role, ""));

async function openThree(directory: string, interrupted: AbortSignal): Promise<PlaceResult> {
  const links = openLinks();
  const files = [1, 2, 3].map((id) => createWriteStream(join(directory, `broker-${id}.log`)));
  const closeFront = async () => {
    await links.close();
    for (const file of files) file.end();
  };
  const started = await startCluster({
    size: files.length,
    listeners: [ownListener, ...Array.from({ length: workers }, (_, worker) => workerListener(worker))],
    front: links.front,
    signal: interrupted,
    onLine: (broker: number, line: string) => void files[broker - 1]!.write(`${line}\n`),
  });
  if (!started.ok) {
    await closeFront();
    return without(3, started.reason);
  }
  const brokers = cluster(started, links, { groupId, topics, clock: systemClock });
  const close = async () => {
    await started.stop();
    await closeFront();
  };
  return { ok: true, place: { brokers, cluster: brokers, proxy: null, close } };
}

function without(count: 1 | 3, reason: string): PlaceResult {
  const what = count === 1 ? "a Kafka broker" : "Kafka brokers";
  const tools = count === 1 ? "Docker, or Java 17 and Maven" : "Java 17 and Maven";
  const message = `chaos needs ${what} of its own, and can't start one: ${reason}.`;
  const fix = `Install ${tools}, and type it in a clone of the project.`;
  return { ok: false, problem: { code: "no-broker", message, fix } };
}
