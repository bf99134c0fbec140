/** A one-process KRaft broker from Maven's jars, in a temporary directory, on a fixed port. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatStorage, newClusterId } from "./broker-format.ts";
import { messageOf, obtainJars } from "./broker-jars.ts";
import { freePort } from "./broker-port.ts";
import { launchBroker } from "./broker-process.ts";
import type { OwnBrokerResult } from "./broker-result.ts";

const heap = "512m";

/**
 * `scramUsers`: as StorageTool takes them, `SCRAM-SHA-256=[name=…,password=…]`. `version`: of Kafka; default: the one that tests
 * use otherwise.
 */
export async function startJavaBroker(
  properties: Record<string, string>,
  scramUsers: readonly string[] = [],
  version?: string,
): Promise<OwnBrokerResult> {
  const jars = await obtainJars(version);
  if (!jars.ok) return jars;
  const directory = await mkdtemp(join(tmpdir(), "registrar-kafka-"));
  try {
    const port = await freePort();
    const propertiesFile = join(directory, "server.properties");
    const ports = { port, controllerPort: await freePort() };
    await writeFile(propertiesFile, serverProperties(directory, ports, properties));
    await formatStorage(jars.directory, { clusterId: newClusterId(), propertiesFile, scramUsers });
    const launch = async () => {
      const launched = launchBroker({ jars: jars.directory, directory, heap });
      await launched.ready;
      return launched;
    };
    let broker = await launch();
    return {
      ok: true,
      kind: "java",
      brokers: [`127.0.0.1:${port}`],
      stop: async () => {
        await broker.end("SIGKILL");
        await rm(directory, { recursive: true, force: true });
      },
      kill: () => broker.end("SIGKILL"),
      start: async () => {
        broker = await launch();
      },
      restart: async () => {
        await broker.end("SIGTERM");
        broker = await launch();
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    return { ok: false, reason: `the broker does not start: ${messageOf(error)}` };
  }
}

function serverProperties(
  directory: string,
  { port, controllerPort }: { readonly port: number; readonly controllerPort: number },
  properties: Record<string, string>,
): string {
  return propertiesText({
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": join(directory, "data"),
    ...commonProperties,
    "num.network.threads": "2",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    ...properties,
  });
}

/** Of a broker that is also a controller, quick to start and to notice. */
export const commonProperties: Readonly<Record<string, string>> = {
  "process.roles": "broker,controller",
  "controller.listener.names": "CONTROLLER",
  // A broker that was killed may register again once its old session is over.
  "broker.heartbeat.interval.ms": "500",
  "broker.session.timeout.ms": "5000",
  "num.io.threads": "4",
  "offsets.topic.num.partitions": "4",
  "transaction.state.log.num.partitions": "4",
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "1000",
  "auto.create.topics.enable": "false",
  // Lets a test see a topic compacted within seconds.
  "log.cleaner.backoff.ms": "200",
  "log.cleaner.min.cleanable.ratio": "0.0",
  "log.retention.check.interval.ms": "1000",
};

export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
