/** Kafka's own image through testcontainers, on a fixed free port so that the broker can advertise it. */
import type { BrokerResult } from "./broker.ts";
import { freePort } from "./broker-port.ts";

const image = process.env.KAFKA_IMAGE ?? "apache/kafka:4.1.0";
const startTimeoutMs = 120_000;

export async function startDockerBroker(): Promise<BrokerResult> {
  // Loaded only here: importing it takes a second, and most runs are given a broker.
  const { GenericContainer, getContainerRuntimeClient, ImageName, Wait } = await import("testcontainers");
  let present: boolean;
  let engine: Awaited<ReturnType<typeof getContainerRuntimeClient>>;
  try {
    engine = await getContainerRuntimeClient();
    present = await engine.image.exists(ImageName.fromString(image));
  } catch {
    return { ok: false, reason: "no container engine answers" };
  }
  const port = await freePort();
  try {
    const container = await new GenericContainer(image)
      .withExposedPorts({ container: 9092, host: port })
      .withEnvironment(environment(port))
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .withStartupTimeout(startTimeoutMs)
      .start();
    return {
      ok: true,
      kind: "docker",
      brokers: [`127.0.0.1:${port}`],
      stop: async () => {
        await container.stop({ timeout: 0 });
      },
      kill: async () => {
        await engine.container.dockerode.getContainer(container.getId()).kill();
      },
      start: () => container.restart({ timeout: 0 }),
      restart: () => container.restart({ timeout: 10 }),
    };
  } catch (error) {
    const detail = firstLine(error);
    return present
      ? { ok: false, reason: `image ${image} does not start: ${detail}` }
      : { ok: false, reason: `the engine answers, but image ${image} is not to be had: ${detail}` };
  }
}

function environment(port: number): Record<string, string> {
  return {
    KAFKA_NODE_ID: "1",
    KAFKA_PROCESS_ROLES: "broker,controller",
    KAFKA_LISTENERS: "PLAINTEXT://:9092,CONTROLLER://:9093",
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
  };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
}
