/**
 * Kafka's own image through testcontainers, on a fixed free port so that the broker can advertise it. A watchdog
 * shell removes the container when this process ends for any reason; so none is left where Ryuk's image is not available.
 */
import { spawn } from "node:child_process";
import type { StartedTestContainer } from "testcontainers";
import { freePort } from "./broker-port.ts";
import type { OwnBrokerResult } from "./broker-result.ts";

const image = process.env.KAFKA_IMAGE ?? "apache/kafka:4.1.0";
const startTimeoutMs = 120_000;

export async function startDockerBroker(): Promise<OwnBrokerResult> {
  // Loaded only here: importing it takes a second, and most runs are given a broker.
  const { GenericContainer, getContainerRuntimeClient, ImageName, Wait } = await import("testcontainers");
  let engine: Awaited<ReturnType<typeof getContainerRuntimeClient>>;
  try {
    engine = await getContainerRuntimeClient();
  } catch {
    return { ok: false, reason: "no container engine answers" };
  }
  const present = await engine.image.exists(ImageName.fromString(image)).catch(() => false);
  const port = await freePort();
  const start = () =>
    new GenericContainer(image)
      .withExposedPorts({ container: 9092, host: port })
      .withEnvironment(environment(port))
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .withStartupTimeout(startTimeoutMs)
      .start();
  try {
    const container = await start().catch((error: unknown) => {
      // Where the image is there but no registry, what is missing is Ryuk's image.
      if (!present || process.env.TESTCONTAINERS_RYUK_DISABLED === "true") throw error;
      process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
      return start();
    });
    const dismiss = guard(container);
    const kill = () => engine.container.dockerode.getContainer(container.getId()).kill();
    return {
      ok: true,
      kind: "docker",
      brokers: [`127.0.0.1:${port}`],
      stop: async () => {
        await container.stop({ timeout: 0 });
        dismiss();
      },
      kill: async () => {
        await kill();
      },
      start: () => container.restart({ timeout: 0 }),
      restart: () => container.restart({ timeout: 10_000 }),
    };
  } catch (error) {
    const detail = firstLine(error);
    return present
      ? { ok: false, reason: `image ${image} does not start: ${detail}` }
      : { ok: false, reason: `the engine answers, but image ${image} is not available: ${detail}` };
  }
}

/** Returns how to dismiss the guard once the container is gone. */
function guard(container: StartedTestContainer): () => void {
  const script = 'cat >/dev/null; docker rm -f -v "$1"';
  const shell = spawn("sh", ["-c", script, "guard", container.getId()], {
    stdio: ["pipe", "ignore", "ignore"],
    // Not in the terminal's process group: Ctrl-C must not end the guard before its time.
    detached: true,
  });
  // Without a shell there is no watchdog.
  shell.on("error", () => {});
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return () => {
    shell.kill();
    shell.stdin.destroy();
  };
}

function environment(port: number): Record<string, string> {
  return {
    KAFKA_NODE_ID: "1",
    KAFKA_PROCESS_ROLES: "broker,controller",
    // The broker also talks to itself (transactions), and can't reach the host's port from inside.
    KAFKA_LISTENERS: "PLAINTEXT://:9092,INSIDE://:9094,CONTROLLER://:9093",
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port},INSIDE://localhost:9094`,
    KAFKA_INTER_BROKER_LISTENER_NAME: "INSIDE",
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
    KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    // Lets a test see a topic compacted within seconds.
    KAFKA_LOG_CLEANER_BACKOFF_MS: "200",
    // A broker that was killed may register again once its old session is over.
    KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: "500",
    KAFKA_BROKER_SESSION_TIMEOUT_MS: "5000",
  };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0] ?? "";
}
