/**
 * Draws docs/traces.svg again of the trace in jaeger-trace.json: `node test/observe/traces/picture.ts`. With a running Jaeger, whose query API
 * is at the address named and which takes OTLP on port 4318, another trace is made and kept first:
 * `node test/observe/traces/picture.ts http://127.0.0.1:16686`. A worker and an emulator in processes of their own make it: a create answered
 * 429, one whose answer is lost, the read that finds its object, the append.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as passed } from "node:timers/promises";
import { faultProfile } from "../../../emulator/faults.ts";
import { builtProgramVariable } from "../../../lab/testkit/built-program.ts";
import { emulatorFor, tenantId } from "../../../lab/testkit/emulator.ts";
import { traceparent } from "../../../lab/testkit/samples.ts";
import { systemClock } from "../../../src/clock.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import { openEmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import { draw } from "./drawing.ts";
import { type JaegerAnswer, spansOfJaeger } from "./jaeger-trace.ts";

const root = join(import.meta.dirname, "../../..");
const kept = join(import.meta.dirname, "jaeger-trace.json");
const ends: (() => Promise<void> | void)[] = [];

function waiterFor(child: ChildProcess): (pattern: RegExp) => Promise<string> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout! }).on("line", (line) => {
    lines.push(line);
    for (const look of [...waiting]) look();
  });
  return (pattern) =>
    new Promise((resolve) => {
      const look = () => {
        const found = lines.find((line) => pattern.test(line));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
}

/** Where the one enrollment waits. */
async function dataDirectory(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), "connector-registrar-picture-"));
  ends.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const opening = await openEmbeddedLog({ dataDir, partitionCount: 8 }, systemClock);
  if (!opening.ok) throw new Error(opening.problem.message);
  const at = "2026-01-05T08:00:00+01:00";
  const data = {
    ...{ connectorName: "Connector 1", machineName: "PKI-01", connectorVersion: "6.2406.0.1001" },
    ...{ enrollmentDateTime: at, lastCheckinDateTime: at },
  };
  const attributes = { specversion: "1.0", id: "e-1", source: "/installers/17", type: "connector.enrolled" };
  const value = Buffer.from(JSON.stringify({ ...attributes, tenantid: tenantId, traceparent, data }));
  const partition = homePartition(tenantId, 8);
  await opening.log.append([
    { topic: "enrolled", partition, key: Buffer.from(tenantId), value, headers: [] },
  ]);
  await opening.log.close();
  return dataDir;
}

/** Its id. */
async function makeTrace(endpoint: string): Promise<string> {
  const { emulator, environment } = await emulatorFor({ after: (end) => void ends.push(end) });
  const none = faultProfile("none");
  emulator.setFaults({ ...none, throttled: 1, retryAfterMs: 1_000 });
  const worker = spawn(
    process.execPath,
    [process.env[builtProgramVariable] ?? join(root, "src/cli/main.ts"), "start"],
    {
      env: {
        ...{ PATH: process.env.PATH, ...environment, DATA_DIR: await dataDirectory() },
        ...{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: "50" },
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  ends.push(() => void worker.kill("SIGKILL"));
  const line = waiterFor(worker);
  await line(/"verdict":"throttled"/);
  emulator.setFaults({ ...none, latency: { kind: "fixed", ms: 60 }, resetAfter: 1 });
  await line(/"verdict":"unknown"/);
  emulator.setFaults({ ...none, latency: { kind: "fixed", ms: 60 } });
  const registered = await line(/"event":"record-registered"/);
  return JSON.parse(registered).trace_id;
}

async function askJaeger(queryUrl: string): Promise<void> {
  const endpoint = Object.assign(new URL(queryUrl), { port: "4318" }).origin;
  const id = await makeTrace(endpoint);
  for (let tries = 0; tries < 100; tries++) {
    const response = await fetch(new URL(`/api/traces/${id}`, queryUrl));
    const answer = (await response.json()) as JaegerAnswer;
    const isWhole = response.ok && spansOfJaeger(answer).some(({ name }) => name.startsWith("process "));
    if (isWhole) return writeFileSync(kept, `${JSON.stringify(answer, null, 1)}\n`);
    await passed(100);
  }
  throw new Error(`Jaeger at ${queryUrl} has no trace ${id} after 10 s`);
}

try {
  const [queryUrl] = process.argv.slice(2);
  if (queryUrl !== undefined) await askJaeger(queryUrl);
  const spans = spansOfJaeger(JSON.parse(readFileSync(kept, "utf8")));
  writeFileSync(join(root, "docs/traces.svg"), draw(spans));
} finally {
  for (const end of ends.reverse()) await end();
}
