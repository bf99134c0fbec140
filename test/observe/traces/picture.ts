/**
 * Draws docs/traces.svg: `node test/observe/traces/picture.ts`. A worker and an emulator in processes of their own make the trace: a create answered
 * 429, one whose answer is lost, the read that finds its object, the append. The spans are those that a collector was sent.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { faultProfile } from "../../../emulator/faults.ts";
import { builtProgramVariable } from "../../../lab/testkit/built-program.ts";
import { emulatorFor, tenantId } from "../../../lab/testkit/emulator.ts";
import { traceparent } from "../../../lab/testkit/samples.ts";
import { systemClock } from "../../../src/clock.ts";
import { homePartition } from "../../../src/domain/murmur2.ts";
import { openEmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import { type ReadSpan, startCollector } from "./otlp-reader.ts";

const root = join(import.meta.dirname, "../../..");
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

async function spansOfOne(): Promise<readonly ReadSpan[]> {
  const { emulator, environment } = await emulatorFor({ after: (end) => void ends.push(end) });
  const collector = await startCollector();
  const dataDir = mkdtempSync(join(tmpdir(), "connector-registrar-picture-"));
  ends.push(collector.close, () => rmSync(dataDir, { recursive: true, force: true }));
  const none = faultProfile("none");
  emulator.setFaults({ ...none, throttled: 1, retryAfterMs: 1_000 });
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
  const worker = spawn(
    process.execPath,
    [process.env[builtProgramVariable] ?? join(root, "src/cli/main.ts"), "start"],
    {
      env: {
        ...{ PATH: process.env.PATH, ...environment, DATA_DIR: dataDir, OTEL_BSP_SCHEDULE_DELAY: "50" },
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
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
  await collector.span(({ name }) => name === "process connector.enrolled");
  return collector.spans();
}

const width = 960;
const rowHeight = 30;
const left = 250;
const colours: Readonly<Record<number, string>> = { 3: "#2f6fb2", 4: "#2d8a4e", 5: "#7a4fa3" };

/** Widths are of a fixed share: what stands beside a bar must be readable. */
function draw(spans: readonly ReadSpan[]): string {
  const sorted = spans.toSorted(
    (a, b) => Number(a.startNs - b.startNs) || a.parentSpanId.length - b.parentSpanId.length,
  );
  const first = sorted[0]!;
  const total = Number(first.endNs - first.startNs);
  const x = (ns: bigint) => left + (Number(ns - first.startNs) / total) * (width - left - 20);
  const rows = sorted.map((span, row) => {
    const y = 50 + row * rowHeight;
    const bar = Math.max(3, x(span.endNs) - x(span.startNs));
    const ms = Number(span.endNs - span.startNs) / 1e6;
    const { attributes } = span;
    const status = attributes["http.response.status_code"] ?? attributes["error.type"] ?? "";
    const retry = attributes["http.response.header.retry-after"];
    const note = [`${ms.toFixed(1)} ms`, status, retry === undefined ? "" : `Retry-After ${retry}`];
    const text = note.filter((each) => each !== "").join(", ");
    const after = x(span.endNs) + 6;
    const isLate = after > width - 170;
    const at = row === 0 ? x(span.startNs) + 8 : isLate ? x(span.startNs) - 6 : after;
    const indent = span.parentSpanId === "" ? 10 : 28;
    return [
      `<text x="${indent}" y="${y + 15}">${span.name}</text>`,
      `<rect x="${x(span.startNs).toFixed(1)}" y="${y}" width="${bar.toFixed(1)}" height="20" rx="2" fill="${span.statusCode === 2 ? "#b3392f" : (colours[span.kind] ?? "#666")}"/>`,
      `<text x="${at.toFixed(1)}" y="${y + 15}" ${row === 0 ? 'fill="#fff"' : isLate ? 'text-anchor="end"' : ""}>${text}</text>`,
    ].join("\n");
  });
  const height = 60 + sorted.length * rowHeight;
  const linked = first.links.map(({ traceId }) => traceId).join(", ");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="10" y="22" font-weight="bold">trace ${first.traceId}</text>
<text x="10" y="40" fill="#555">linked to the installer's trace ${linked}; outcome: ${first.attributes["connector_registrar.outcome"]}</text>
${rows.join("\n")}
</svg>
`;
}

try {
  writeFileSync(join(root, "docs/traces.svg"), draw(await spansOfOne()));
} finally {
  for (const end of ends.reverse()) await end();
}
