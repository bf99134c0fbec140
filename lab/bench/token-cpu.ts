/**
 * What an access token costs the process that asks for it: `node lab/bench/token-cpu.ts [TENANTS ...]` (default 100 1000 10000)
 * gets one token for each of TENANTS tenants from an emulator in another process, each row in a process of its own, for
 * each kind of credential of `CREDENTIALS` (default: both). User and system time, of all threads, after a warm-up; also as a
 * multiple of one RSA signature of 2048 bits, which each token by certificate needs, measured on the same machine
 * before and after the tokens; and the rest without that signature.
 */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { print } from "../../src/cli/terminal.ts";
import { systemClock } from "../../src/clock.ts";
import type { Credential } from "../../src/graph/credentials/credential.ts";
import { openGraph } from "../../src/graph/graph-client.ts";
import { type GraphPlace, openGraphPlace } from "./graph-place.ts";

interface Job {
  readonly tenants: number;
  readonly credential: Credential;
  readonly url: string;
  readonly caFile: string;
  readonly clientId: string;
}

interface Cost {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly rssMb: number;
  readonly signatureMs: number;
}

/** What a worker has under way at a time, by default. */
const inFlight = 32;
/** Until the code is compiled. */
const warmUps = 500;

const job = process.env.TOKEN_CPU_JOB;
if (job === undefined) await main(process.argv.slice(2).map(Number));
else print(JSON.stringify(await measure(JSON.parse(job) as Job)));

async function main(given: readonly number[]): Promise<void> {
  const counts = given.length > 0 ? given : [100, 1_000, 10_000];
  const kinds = (process.env.CREDENTIALS ?? "client-secret,client-certificate").split(",");
  const directory = mkdtempSync(join(tmpdir(), "token-cpu-"));
  const graph = await openGraphPlace(directory);
  try {
    for (const kind of kinds) {
      const credential = await credentialOf(kind, graph, directory);
      for (const tenants of counts) {
        const { url, caFile, clientId } = graph;
        print(lineOf(kind, tenants, inProcess({ tenants, credential, url, caFile, clientId })));
      }
    }
  } finally {
    await graph.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function lineOf(kind: string, tenants: number, { cpuMs, wallMs, rssMb, signatureMs }: Cost): string {
  const [cpu, wall] = [cpuMs, wallMs].map((ms) => ms / tenants) as [number, number];
  const signatures = `${(cpu / signatureMs).toFixed(2)} signatures of ${signatureMs.toFixed(2)} ms`;
  const net =
    kind === "client-certificate" ? `, ${(cpu - signatureMs).toFixed(2)} ms without its own signature` : "";
  const each = `${cpu.toFixed(2)} ms CPU a token${net}, ${signatures}`;
  return `${kind}: ${tenants} tenants, ${each} (${wall.toFixed(2)} ms of the clock), ${rssMb.toFixed(0)} MB`;
}

async function credentialOf(kind: string, graph: GraphPlace, directory: string): Promise<Credential> {
  if (kind === "client-secret") return { kind, secret: { from: "text", text: graph.clientSecret } };
  if (kind !== "client-certificate") throw new Error(`no credential is called ${kind}`);
  const [key, certificate, path] = ["key.pem", "certificate.pem", "both.pem"].map((name) =>
    join(directory, name),
  );
  const subject = ["-subj", "/CN=token-cpu", "-days", "30"];
  const files = ["-keyout", key!, "-out", certificate!];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, ...files], {
    stdio: "pipe",
  });
  const pem = readFileSync(certificate!, "utf8");
  writeFileSync(path!, readFileSync(key!, "utf8") + pem);
  const dispatcher = new Agent({ connect: { ca: readFileSync(graph.caFile) } });
  const body = JSON.stringify({ certificates: [pem] });
  const { statusCode } = await request(`${graph.url}/_control/entra`, { method: "PUT", body, dispatcher });
  await dispatcher.destroy();
  if (statusCode !== 200) throw new Error("the emulator refuses the certificate");
  return { kind, path: path!, password: null, sendChain: false };
}

function inProcess(task: Job): Cost {
  const env = { ...process.env, TOKEN_CPU_JOB: JSON.stringify(task) };
  const nodeArgs = process.env.BENCH_NODE_ARGS?.split(" ") ?? [];
  const output = execFileSync(process.execPath, [...nodeArgs, import.meta.filename], {
    env,
    encoding: "utf8",
  });
  return JSON.parse(output) as Cost;
}

async function measure({ tenants, credential, url, caFile, clientId }: Job): Promise<Cost> {
  const opened = openGraph(
    {
      cloud: "global",
      baseUrl: url,
      authorityHost: url,
      clientId,
      credential,
      requestTimeoutMs: 60_000,
      maxConnections: inFlight,
      caFile,
    },
    systemClock,
  );
  await getAll(opened.tokenOf, 0, warmUps);
  const signatureBeforeMs = costOfSignature();
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await getAll(opened.tokenOf, warmUps, warmUps + tenants);
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(before);
  const signatureMs = (signatureBeforeMs + costOfSignature()) / 2;
  await opened.close();
  return { cpuMs: (user + system) / 1_000, wallMs, rssMb: process.memoryUsage.rss() / 2 ** 20, signatureMs };
}

function costOfSignature(): number {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const rounds = 300;
  sign("sha256", Buffer.alloc(400), privateKey);
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) sign("sha256", Buffer.alloc(400), privateKey);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / rounds;
}

async function getAll(
  tokenOf: (tenantId: string) => Promise<unknown>,
  from: number,
  to: number,
): Promise<void> {
  let next = from;
  const one = async () => {
    while (next < to) {
      const tenantId = `00000000-0000-4000-8000-${String(next++).padStart(12, "0")}`;
      const result = (await tokenOf(tenantId)) as { ok: boolean; detail?: string };
      if (!result.ok) throw new Error(result.detail);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}
