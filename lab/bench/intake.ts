/**
 * What the HTTP intake takes: `node lab/bench/intake.ts [--seconds 10] [--connections 64] [--rate 0] [--only one|batches] [--token] [--bare] [--image]`.
 *
 * `serve` on the embedded log in a process of its own, one event a request, then batches of 20. Reported: requests and events a
 * second, p50 and p99, answers other than success, processor time (of all threads and of the one that answers), resident memory before
 * and every five seconds, and whether the log holds what was confirmed. With `--rate`: this number of requests a second at most. With `--bare`, before each: what a Node http server reaches that reads the same bodies and answers as many bytes, by
 * the same client. With `--image`: built, with the options and the environment of the container image.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { systemClock } from "../../src/clock.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { tokenHash, tokensText } from "../../src/server/auth/tokens-file.ts";
import { type Child, startChild } from "./child.ts";
import { asInImage } from "./contenders.ts";
import { percentile } from "./numbers.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    connections: { type: "string", default: "64" },
    rate: { type: "string", default: "0" },
    only: { type: "string" },
    token: { type: "boolean", default: false },
    bare: { type: "boolean", default: false },
    image: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
/** Requests a second of all senders; 0: as fast as they are answered. */
const rate = Number(values.rate);
const tenants = ["5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5", "6a1d2e3f-4b5c-4d6e-9f70-8192a3b4c5d6"];
const token = "crt_of-the-benchmark";

const fromSource = { program: "src/cli/main.ts", nodeOptions: [], environment: {} };

let made = 0;
function event(): string {
  const n = made++;
  return `{"specversion":"1.0","id":"bench-${n}","source":"/bench","type":"connector.enrolled","tenantid":"${tenants[n % 2]}","datacontenttype":"application/json","data":{"connectorName":"Connector ${n % 10}","machineName":"SRV-${n}","enrollmentDateTime":"2026-01-01T00:00:00.0000000Z","lastCheckinDateTime":"2026-01-01T00:00:00.0000000Z","connectorVersion":"6.2406.0.1001"}}`;
}

const rssEveryMs = 5_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

interface Load {
  readonly option: "one" | "batches";
  readonly name: string;
  readonly type: string;
  readonly events: number;
  readonly body: () => string;
}

const loads: readonly Load[] = [
  {
    option: "one",
    name: "one event a request",
    type: "application/cloudevents+json",
    events: 1,
    body: event,
  },
  {
    option: "batches",
    name: "batches of 20",
    type: "application/cloudevents-batch+json",
    events: 20,
    body: () => `[${Array.from({ length: 20 }, event).join(",")}]`,
  },
];

interface Outcome {
  /** A second. */
  readonly requests: number;
  readonly events: number;
  readonly confirmed: number;
  readonly errors: number;
  readonly durations: readonly number[];
  readonly cpuUsPerRequest: number;
  readonly mainCpuUsPerRequest: number;
  /** Before, and every `rssEveryMs`. */
  readonly rssMb: readonly number[];
}

/** False: another answer, or a connection that was cut; such a request may be stored all the same. */
async function isTaken(
  pool: Pool,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<boolean> {
  try {
    const answer = await pool.request({ method: "POST", path: "/events", headers, body });
    await answer.body.dump();
    return answer.statusCode === 202;
  } catch {
    return false;
  }
}

async function run(pool: Pool, load: Load, child: Child): Promise<Outcome> {
  const durations: number[] = [];
  let confirmed = 0;
  let errors = 0;
  const startMs = performance.now();
  const cpuUs = child.cpuUs();
  const mainCpuUs = mainCpuUsOf(child.pid);
  const rssMb = [child.rssMb()];
  const endMs = startMs + seconds * 1_000;
  const headers = {
    "content-type": load.type,
    ...(values.token ? { authorization: `Bearer ${token}` } : {}),
  };
  let turns = 0;
  const turn = async () => {
    const waitMs = rate === 0 ? 0 : startMs + (turns++ * 1_000) / rate - performance.now();
    if (waitMs > 0) await sleep(waitMs);
  };
  const sender = async () => {
    for (await turn(); performance.now() < endMs; await turn()) {
      const fromMs = performance.now();
      const isConfirmed = await isTaken(pool, headers, load.body());
      durations.push(performance.now() - fromMs);
      if (isConfirmed) confirmed += load.events;
      else errors += 1;
      if (performance.now() - startMs > rssMb.length * rssEveryMs) rssMb.push(child.rssMb());
    }
  };
  await Promise.all(Array.from({ length: connections }, sender));
  const tookS = (performance.now() - startMs) / 1_000;
  return {
    requests: durations.length / tookS,
    events: confirmed / tookS,
    ...{ confirmed, errors, durations, rssMb },
    cpuUsPerRequest: (child.cpuUs() - cpuUs) / Math.max(1, durations.length),
    mainCpuUsPerRequest: (mainCpuUsOf(child.pid) - mainCpuUs) / Math.max(1, durations.length),
  };
}

/** Of the thread that answers: the first number of schedstat, nanoseconds on a processor. */
function mainCpuUsOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ", 1)[0]) / 1_000;
}

function sayOutcome(
  name: string,
  { requests, events, errors, durations, cpuUsPerRequest, mainCpuUsPerRequest, rssMb }: Outcome,
): void {
  const ms = (share: number) => `${percentile(durations, share).toFixed(1)} ms`;
  const rss = rssMb.map((mb) => mb.toFixed(0)).join(" -> ");
  say(
    `${name}: ${Math.round(requests)} requests/s, ${Math.round(events)} events/s, p50 ${ms(0.5)}, p99 ${ms(0.99)}, ${errors} errors, ${cpuUsPerRequest.toFixed(0)} us CPU a request (${mainCpuUsPerRequest.toFixed(0)} where it is answered), ${rss} MB`,
  );
}

/** Reads the body and answers with as many bytes as `serve` does. */
const bareServer = `
  require("node:http").createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const size = Buffer.concat(parts)[0] === 0x5b ? 5000 : 250;
      response.writeHead(202, { "content-type": "application/json" }).end("x".repeat(size));
    });
  }).listen(0, "127.0.0.1", function () { console.log(JSON.stringify({ url: "http://127.0.0.1:" + this.address().port })); });
`;

async function started(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const url = Promise.withResolvers<string>();
  const child = startChild({
    command: process.execPath,
    args,
    environment,
    logFile: join(directory, "child.log"),
    onLine: (line) => {
      const { url: found } = JSON.parse(line) as { readonly url?: string };
      if (found !== undefined) url.resolve(found);
    },
  });
  return { child, pool: new Pool(await url.promise, { connections, pipelining: 1 }) };
}

async function runBare(load: Load): Promise<Outcome> {
  const { child, pool } = await started(["-e", bareServer], {});
  const outcome = await run(pool, load, child);
  await pool.close();
  await child.stop();
  return outcome;
}

const directory = mkdtempSync(join(tmpdir(), "bench-intake-"));
try {
  const tokensFile = join(directory, "tokens.json");
  const entry = { name: "bench", sha256: tokenHash(token), tenants: ["*"], created: "2026-01-01T00:00:00Z" };
  writeFileSync(tokensFile, tokensText([entry]));
  const nodeArgs = process.env.BENCH_NODE_ARGS?.split(" ").filter(Boolean) ?? [];
  const { program, nodeOptions, environment } = values.image ? asInImage() : fromSource;
  const { child, pool } = await started(
    [...nodeOptions, ...nodeArgs, program, "serve", "--serve-port", "0"],
    {
      ...environment,
      ...{ DATA_DIR: directory, SERVE_EVENTS_PER_S: "0", LOG_FORMAT: "json" },
      ...(values.token ? { TOKENS_FILE: tokensFile } : {}),
    },
  );
  let ready = 503;
  while (ready !== 200) ready = (await pool.request({ method: "GET", path: "/readyz" })).statusCode;
  let confirmed = 0;
  let errors = 0;
  for (const load of loads) {
    if (values.only !== undefined && values.only !== load.option) continue;
    const bare = values.bare ? await runBare(load) : null;
    if (bare !== null) sayOutcome(`${load.name}, bare`, bare);
    const outcome = await run(pool, load, child);
    confirmed += outcome.confirmed;
    errors += outcome.errors;
    sayOutcome(load.name, outcome);
    if (bare !== null)
      say(`${load.name}: ${(outcome.requests / bare.requests).toFixed(2)} of the bare server`);
  }
  await pool.close();
  await child.stop();
  const opened = await openEmbeddedLog({ dataDir: directory, partitionCount: 8 }, systemClock);
  if (!opened.ok) throw new Error(opened.problem.message);
  const survey = await opened.log.survey();
  await opened.log.close();
  const stored = survey.ok
    ? survey.topics.enrolled.bounds.reduce((sum, { start, end }) => sum + end - start, 0)
    : -1;
  // What was answered by a cut connection may be stored: more is right then, less never.
  const isRight = errors === 0 ? stored === confirmed : stored >= confirmed;
  say(`confirmed ${confirmed}, in the log ${stored}${isRight ? "" : ": NOT EQUAL"}`);
  process.exitCode = isRight ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
