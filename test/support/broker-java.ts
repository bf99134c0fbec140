/**
 * A one-process KRaft broker from Maven's jars, in a temporary directory, on a fixed port. A shell stands guard: when
 * this process ends for any reason, the broker's standard input closes, and the shell kills it and removes its data.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { BrokerResult } from "./broker.ts";
import { freePort } from "./broker-port.ts";

const run = promisify(execFile);
const pom = join(import.meta.dirname, "kafka-broker", "pom.xml");
const startTimeoutMs = 120_000;

/** `scramUsers`: as StorageTool takes them, `SCRAM-SHA-256=[name=…,password=…]`. */
export async function startJavaBroker(
  properties: Record<string, string>,
  scramUsers: readonly string[] = [],
): Promise<BrokerResult> {
  const jars = await obtainJars();
  if (!jars.ok) return jars;
  const directory = await mkdtemp(join(tmpdir(), "registrar-kafka-"));
  try {
    const port = await freePort();
    const file = join(directory, "server.properties");
    await writeFile(file, serverProperties(directory, port, await freePort(), properties));
    const clusterId = randomBytes(16).toString("base64url").replace(/^-/, "A");
    await run("java", [
      ...["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", join(jars.directory, "*")],
      ...["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", file],
      ...scramUsers.flatMap((user) => ["--add-scram", user]),
    ]);
    let broker = await launch(jars.directory, directory);
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
        broker = await launch(jars.directory, directory);
      },
      restart: async () => {
        await broker.end("SIGTERM");
        broker = await launch(jars.directory, directory);
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    return { ok: false, reason: `the broker does not start: ${messageOf(error)}` };
  }
}

/** Kafka's jars, copied once for each content of the pom into a directory that later runs find again. */
async function obtainJars(): Promise<{ ok: true; directory: string } | { ok: false; reason: string }> {
  const version = /kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(await readFile(pom, "utf8"))?.[1];
  const directory = join(tmpdir(), `registrar-kafka-jars-${version}`);
  const found = await run("java", ["-version"]).then(
    () => true,
    () => false,
  );
  if (!found) return { ok: false, reason: "no java on the PATH" };
  if (await exists(directory)) return { ok: true, directory };
  const partial = await mkdtemp(`${directory}-`);
  try {
    await mkdir(partial, { recursive: true });
    await run("mvn", ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${partial}`]);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { ok: false, reason: missing ? "no mvn on the PATH" : `mvn failed: ${messageOf(error)}` };
  }
  // Two runs may get here at once: the first rename wins, the other's copy goes.
  await rename(partial, directory).catch(() => rm(partial, { recursive: true, force: true }));
  return { ok: true, directory };
}

interface Running {
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

const guard = `
exec 3<&0
java -Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.logFile=System.out \
  -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
  -cp "$1/*" kafka.Kafka "$2/server.properties" </dev/null &
broker=$!
echo "pid $broker"
(cat <&3 >/dev/null; trap "" TERM; kill -9 $broker; rm -rf "$2") >/dev/null 2>&1 &
watch=$!
wait $broker
kill $watch
`;

async function launch(jars: string, directory: string): Promise<Running> {
  const shell = spawn("sh", ["-c", guard, "guard", jars, directory], { stdio: ["pipe", "pipe", "ignore"] });
  // The guard must not keep a test's process alive: when that ends, so does the pipe.
  const output = shell.stdout;
  const exited = new Promise<void>((resolve) => shell.once("exit", () => resolve()));
  const pid = await started(shell);
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  (output as unknown as { unref(): void }).unref();
  return {
    end: async (signal) => {
      shell.ref();
      if (shell.exitCode === null) process.kill(pid, signal);
      await exited;
      shell.stdin.destroy();
    },
  };
}

/** The broker's process id, once it says that it serves. */
function started(shell: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let pid = 0;
    const lines: string[] = [];
    const timer = setTimeout(() => fail(`no "started" within ${startTimeoutMs} ms`), startTimeoutMs);
    const fail = (why: string) => {
      clearTimeout(timer);
      shell.stdin?.destroy();
      reject(new Error([why, ...lines.slice(-5)].join(" | ")));
    };
    shell.once("exit", (code) => fail(`it ended with code ${code}`));
    createInterface({ input: shell.stdout! }).on("line", (line) => {
      if (lines.push(line) > 50) lines.shift();
      if (line.startsWith("pid ")) pid = Number(line.slice(4));
      if (!line.includes("Kafka Server started")) return;
      clearTimeout(timer);
      resolve(pid);
    });
  });
}

function serverProperties(
  directory: string,
  port: number,
  controllerPort: number,
  properties: Record<string, string>,
): string {
  const all: Record<string, string> = {
    "node.id": "1",
    "process.roles": "broker,controller",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": join(directory, "data"),
    // A broker that was killed may register again once its old session is over.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "5000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    // Lets a test see a topic compacted within seconds.
    "log.cleaner.backoff.ms": "200",
    "log.cleaner.min.cleanable.ratio": "0.0",
    "log.retention.check.interval.ms": "1000",
    ...properties,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n").slice(0, 3).join(" | ");
}
