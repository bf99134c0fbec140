/**
 * A KRaft cluster of Java processes on this machine, each a broker and a controller. Every record has a replica on each,
 * and is acknowledged once two have it. Who stands in front of a broker's ports (a relay that can cut the way) gives the
 * ports that are advertised.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterBroker, StartedCluster } from "../chaos/brokers.ts";
import type { Route } from "../chaos/links.ts";
import { formatStorage, newClusterId } from "./broker-format.ts";
import { messageOf, obtainJars } from "./broker-jars.ts";
import { commonProperties, propertiesText } from "./broker-java.ts";
import { freePort } from "./broker-port.ts";
import { type BrokerProcess, launchBroker } from "./broker-process.ts";

export interface ClusterOptions {
  readonly size: number;
  /** Names of listeners for clients, beside INTERNAL, over which brokers talk to one another. */
  readonly listeners: readonly string[];
  /** What others connect to instead of `port`. */
  readonly front: (route: Route, port: number) => Promise<number>;
  readonly onLine: (broker: number, line: string) => void;
  /** Ends the start, too. */
  readonly signal: AbortSignal;
}

export interface Cluster extends StartedCluster {
  readonly ok: true;
  stop(): Promise<void>;
}

export type ClusterResult = Cluster | { readonly ok: false; readonly reason: string };

const heap = "400m";
/** Short, so that a broker that is gone is noticed within seconds. */
const clusterProperties: Readonly<Record<string, string>> = {
  "default.replication.factor": "3",
  "min.insync.replicas": "2",
  "offsets.topic.replication.factor": "3",
  "transaction.state.log.replication.factor": "3",
  "transaction.state.log.min.isr": "2",
  "broker.session.timeout.ms": "4000",
  "replica.lag.time.max.ms": "4000",
  "replica.socket.timeout.ms": "4000",
  "num.network.threads": "1",
  "num.replica.fetchers": "1",
  // Leaderships go back to where they belong, also in the middle of everything.
  "leader.imbalance.check.interval.seconds": "5",
  "leader.imbalance.per.broker.percentage": "0",
};

export async function startCluster(options: ClusterOptions): Promise<ClusterResult> {
  const jars = await obtainJars();
  if (!jars.ok) return jars;
  const ids = Array.from({ length: options.size }, (_, index) => index + 1);
  const directories = await Promise.all(ids.map(() => mkdtemp(join(tmpdir(), "registrar-kafka-"))));
  const running = new Map<number, BrokerProcess>();
  let isOver = false;
  const launch = async (id: number) => {
    if (isOver) throw new Error("it was stopped");
    const onLine = (line: string) => options.onLine(id, line);
    const broker = launchBroker({ jars: jars.directory, directory: directories[id - 1]!, heap }, onLine);
    running.set(id, broker);
    await broker.ready;
  };
  const end = async (id: number, signal: "SIGKILL" | "SIGTERM") => {
    const broker = running.get(id);
    await broker?.end(signal);
    if (running.get(id) === broker) running.delete(id);
  };
  const stop = async () => {
    isOver = true;
    await Promise.all(ids.map((id) => end(id, "SIGKILL")));
    await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
  };
  const onAbort = () => void stop();
  options.signal.addEventListener("abort", onAbort);
  try {
    const plan = await planPorts(ids, options);
    const clusterId = newClusterId();
    const format = async (id: number) => {
      const directory = directories[id - 1]!;
      const propertiesFile = join(directory, "server.properties");
      await writeFile(propertiesFile, propertiesText(propertiesOf({ id, directory }, ids, plan)));
      await formatStorage(jars.directory, { clusterId, propertiesFile });
    };
    await Promise.all(ids.map(format));
    // Together: none of them serves before most of them are there.
    const launched = await Promise.allSettled(ids.map(launch));
    for (const result of launched) if (result.status === "rejected") throw result.reason;
    return {
      ok: true,
      brokers: ids.map((id) => brokerOf(id, { running, launch, end })),
      addresses: (listener) => ids.map((id) => `127.0.0.1:${plan.advertised.get(`${listener} ${id}`)!}`),
      stop,
    };
  } catch (error) {
    await stop();
    return { ok: false, reason: `the cluster does not start: ${messageOf(error)}` };
  } finally {
    options.signal.removeEventListener("abort", onAbort);
  }
}

/** The processes of the brokers, by their ids. */
interface BrokerProcesses {
  readonly running: ReadonlyMap<number, BrokerProcess>;
  launch(id: number): Promise<void>;
  end(id: number, signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

function brokerOf(id: number, { running, launch, end }: BrokerProcesses): ClusterBroker {
  return {
    id,
    kill: () => end(id, "SIGKILL"),
    stop: () => end(id, "SIGTERM"),
    start: () => launch(id),
    freeze: () => running.get(id)?.signal("SIGSTOP"),
    thaw: () => running.get(id)?.signal("SIGCONT"),
  };
}

interface Ports {
  /** By `listener id`. */
  readonly own: ReadonlyMap<string, number>;
  readonly advertised: ReadonlyMap<string, number>;
  /** By `from id`: where one broker finds the controller of another. */
  readonly voters: ReadonlyMap<string, number>;
}

const internal = "INTERNAL";
const controller = "CONTROLLER";

async function planPorts(ids: readonly number[], { listeners, front }: ClusterOptions): Promise<Ports> {
  const own = new Map<string, number>();
  const advertised = new Map<string, number>();
  const voters = new Map<string, number>();
  for (const id of ids) {
    for (const listener of [internal, ...listeners]) {
      const port = await freePort();
      own.set(`${listener} ${id}`, port);
      advertised.set(`${listener} ${id}`, await front({ listener, broker: id, from: null }, port));
    }
    const port = await freePort();
    own.set(`${controller} ${id}`, port);
    for (const from of ids) {
      const route = { listener: controller, broker: id, from };
      voters.set(`${from} ${id}`, from === id ? port : await front(route, port));
    }
  }
  return { own, advertised, voters };
}

function propertiesOf(
  { id, directory }: { readonly id: number; readonly directory: string },
  ids: readonly number[],
  { own, advertised, voters }: Ports,
): Record<string, string> {
  const at = (name: string, port: number) => `${name}://127.0.0.1:${port}`;
  const names = [...advertised.keys()]
    .filter((key) => key.endsWith(` ${id}`))
    .map((key) => key.split(" ")[0]!);
  return {
    ...commonProperties,
    ...clusterProperties,
    "node.id": String(id),
    "controller.quorum.voters": ids
      .map((voter) => `${voter}@127.0.0.1:${voters.get(`${id} ${voter}`)!}`)
      .join(","),
    listeners: [...names, controller].map((name) => at(name, own.get(`${name} ${id}`)!)).join(","),
    "advertised.listeners": names.map((name) => at(name, advertised.get(`${name} ${id}`)!)).join(","),
    "inter.broker.listener.name": internal,
    "listener.security.protocol.map": [...names, controller].map((name) => `${name}:PLAINTEXT`).join(","),
    "log.dirs": join(directory, "data"),
  };
}
