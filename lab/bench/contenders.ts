/** Who is measured, each in a process of its own, all given the same topics and the same Graph. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../testkit/broker-port.ts";
import { npmStart } from "../testkit/npm-start.ts";
import { type Child, startChild } from "./child.ts";
import type { GraphPlace } from "./graph-place.ts";
import type { KafkaPlace } from "./kafka-place.ts";

export type Against = "naive" | "bento" | "floor";
export type Contender = "registrar" | Against;
/** What of the floor works on topics. */
export type Worker = Exclude<Contender, "floor"> | "floor-kafka";

export interface Running {
  readonly child: Child;
  isReady(): Promise<boolean>;
  /** Resolves when it is ready for records, to the milliseconds since its process was started. */
  ready(): Promise<number>;
  stop(): Promise<void>;
}

export interface Bench {
  readonly brokers: readonly string[];
  readonly graph: GraphPlace;
  readonly directory: string;
  readonly bento: string | null;
  readonly smoke: boolean;
  say(line: string): void;
}

export interface StartSettings {
  /** Null: the embedded log in `dataDir`. */
  readonly kafka: KafkaPlace | null;
  readonly tenants: readonly string[];
  /** Whom the worker serves; default: those tenants. */
  readonly known?: readonly string[];
  readonly inFlight: number;
  /** Settings of the registrar beside those. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Kept after the run. Default: a directory of its own, removed with it. */
  readonly dataDir?: string;
  /** The compiled program, with the Node options and the allocator settings of the container image. */
  readonly asInImage?: boolean;
}

const readyTimeoutMs = 120_000;
/** Asked more often at first: a start takes some hundred milliseconds, a large ledger seconds. */
const readyPollMs = { share: 0.01, most: 20 };
const root = join(import.meta.dirname, "..", "..");

export async function start(bench: Bench, worker: Worker, settings: StartSettings): Promise<Running> {
  if (worker === "registrar") return startRegistrar(bench, settings);
  if (worker === "bento") return startBento(bench, settings);
  return startBaseline(bench, worker, settings);
}

async function startRegistrar(bench: Bench, settings: StartSettings): Promise<Running> {
  const { graph } = bench;
  const { kafka, tenants, known = tenants } = settings;
  const dataDir = settings.dataDir ?? mkdtempSync(join(bench.directory, "data-"));
  const port = await freePort();
  const { program, nodeOptions, environment } = settings.asInImage ? asInImage() : asByNpm();
  const moreOptions = process.env.BENCH_NODE_ARGS?.split(" ").filter(Boolean) ?? [];
  const child = startChild({
    command: process.execPath,
    args: [...nodeOptions, ...moreOptions, program, "start"],
    logFile: join(bench.directory, "registrar.log"),
    environment: {
      ...(kafka === null
        ? {}
        : {
            KAFKA_BROKERS: kafka.brokers.join(","),
            KAFKA_TOPIC_PREFIX: kafka.prefix,
            KAFKA_GROUP_ID: kafka.groupId,
          }),
      DATA_DIR: dataDir,
      ...tenantsSetting(bench, known),
      AZURE_CLIENT_ID: graph.clientId,
      AZURE_CLIENT_SECRET: graph.clientSecret,
      AZURE_AUTHORITY_HOST: graph.url,
      GRAPH_BASE_URL: graph.url,
      GRAPH_CA_FILE: graph.caFile,
      GRAPH_MAX_IN_FLIGHT: String(settings.inFlight),
      HTTP_PORT: String(port),
      LOG_LEVEL: process.env.LOG_LEVEL ?? "info",
      ...tracesSettings(),
      ...environment,
      ...settings.environment,
    },
  });
  return running(child, () => answers(`http://127.0.0.1:${port}/readyz`), {
    patienceMs: 20_000,
    after() {
      if (settings.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  });
}

/** OTEL_* of this process are the worker's. */
function tracesSettings(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => name.startsWith("OTEL_"));
  return Object.fromEntries(given) as Record<string, string>;
}

/** A variable holds 128 kB at the most: more tenants stand in a tenants file. */
function tenantsSetting({ directory }: Bench, tenants: readonly string[]): Record<string, string> {
  if (tenants.length <= 1_000) return { ALLOWED_TENANTS: tenants.join(",") };
  const file = join(directory, "tenants.json");
  writeFileSync(file, JSON.stringify({ tenants: tenants.map((tenantId) => ({ tenantId })) }));
  return { TENANTS_FILE: file };
}

function asByNpm() {
  return { ...npmStart(), environment: {} as Record<string, string> };
}

/** What the Dockerfile says, so that the two can't differ. */
export function asInImage() {
  execFileSync("npm", ["run", "--silent", "build"], { cwd: root });
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  const entrypoint = JSON.parse(/^ENTRYPOINT (.*\/src\/cli\/main\.js.*)$/m.exec(dockerfile)![1]!) as string[];
  const environment = [...dockerfile.matchAll(/\b(MALLOC_\w+|KAFKA_MAX_\w+)=(\S+)/g)].map(
    ([, name, value]) => [name, value],
  );
  return {
    program: join(root, "dist/src/cli/main.js"),
    nodeOptions: entrypoint.filter((word) => word.startsWith("--")),
    environment: Object.fromEntries(environment) as Record<string, string>,
  };
}

async function startBento(bench: Bench, settings: StartSettings): Promise<Running> {
  const port = await freePort();
  const child = startChild({
    command: bench.bento!,
    args: ["-c", join(import.meta.dirname, "peers/bento.yaml")],
    logFile: join(bench.directory, "bento.log"),
    environment: {
      ...common(bench, settings),
      CA_FILE: bench.graph.caFile,
      TOKEN: await bench.graph.token(settings.tenants[0]!),
      IN_FLIGHT: String(settings.inFlight),
      HTTP_PORT: String(port),
    },
  });
  return running(child, () => answers(`http://127.0.0.1:${port}/ready`));
}

async function startBaseline(bench: Bench, worker: Worker, settings: StartSettings): Promise<Running> {
  let isReady = false;
  const child = startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, "baselines", `${worker}.ts`)],
    logFile: join(bench.directory, `${worker}.log`),
    environment: {
      ...common(bench, settings),
      NODE_EXTRA_CA_CERTS: bench.graph.caFile,
      KAFKAJS_NO_PARTITIONER_WARNING: "1",
      TENANT: settings.tenants[0]!,
      CLIENT_ID: bench.graph.clientId,
      CLIENT_SECRET: bench.graph.clientSecret,
    },
    onLine(line) {
      if (line === "ready") isReady = true;
    },
  });
  return running(child, async () => isReady);
}

/** What the floor's POSTs alone came to; CPU as the system counted it for that process. */
export async function barePosts(
  bench: Bench,
  settings: { events: number; batch: number; inFlight: number; perSecond: number; tenantId: string },
): Promise<{ eventsPerSecond: number; cpuUsPerEvent: number; p50Ms: number; p99Ms: number }> {
  const lines: ((line: string) => void)[] = [];
  const nextLine = () => new Promise<string>((resolve) => lines.push(resolve));
  const first = nextLine();
  const child = startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, "baselines/floor-posts.ts")],
    logFile: join(bench.directory, "floor-posts.log"),
    environment: {
      EVENTS: String(settings.events),
      BATCH: String(settings.batch),
      IN_FLIGHT: String(settings.inFlight),
      PER_SECOND: String(settings.perSecond),
      GRAPH_URL: bench.graph.url,
      CA_FILE: bench.graph.caFile,
      TENANT: settings.tenantId,
      TOKEN: await bench.graph.token(settings.tenantId),
    },
    onLine: (line) => lines.shift()?.(line),
  });
  try {
    await alive(child, first);
    const cpuBefore = child.cpuUs();
    const answer = nextLine();
    child.tell("go");
    const { events, seconds, p50Ms, p99Ms } = JSON.parse(await alive(child, answer));
    return {
      eventsPerSecond: events / seconds,
      cpuUsPerEvent: (child.cpuUs() - cpuBefore) / events,
      p50Ms,
      p99Ms,
    };
  } finally {
    await child.stop();
  }
}

function common(bench: Bench, { kafka }: StartSettings): Record<string, string> {
  return {
    BROKERS: kafka!.brokers.join(","),
    ENROLLED: kafka!.name("enrolled"),
    REGISTERED: kafka!.name("registered"),
    GROUP: kafka!.groupId,
    GRAPH_URL: bench.graph.url,
  };
}

/** How a program is stopped. */
interface Stopping {
  /** It gets so long to end by itself. Default: none. */
  readonly patienceMs?: number;
  readonly after?: () => void;
}

function running(
  child: Child,
  isReady: () => Promise<boolean>,
  { patienceMs = 0, after = () => {} }: Stopping = {},
): Running {
  return {
    child,
    isReady,
    async ready() {
      while (!(await isReady())) {
        failIfDead(child);
        const sinceMs = Date.now() - child.startedAtMs;
        if (sinceMs > readyTimeoutMs)
          throw new Error(`not ready in ${readyTimeoutMs} ms:\n${child.lastWords()}`);
        const pollMs = Math.min(readyPollMs.most, sinceMs * readyPollMs.share);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
      return Date.now() - child.startedAtMs;
    },
    async stop() {
      await child.stop(patienceMs);
      after();
    },
  };
}

export function failIfDead(child: Child): void {
  const code = child.exitCode();
  if (code !== null) throw new Error(`a worker ended by itself (${code}):\n${child.lastWords()}`);
}

async function alive<T>(child: Child, promise: Promise<T>): Promise<T> {
  const watch = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    try {
      failIfDead(child);
    } catch (error) {
      watch.reject(error);
    }
  }, 500);
  try {
    return await Promise.race([promise, watch.promise]);
  } finally {
    clearInterval(timer);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
