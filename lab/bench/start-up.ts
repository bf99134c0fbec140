/**
 * How long `start` takes on the embedded log until `/readyz` answers 200: `node lab/bench/start-up.ts [RUNS]` (default 7). The sources
 * with the Node options of `npm run start`, and the bundle with those of the image; each first on an empty directory, then on the log that
 * is there. Beside the milliseconds on the clock it prints those of processor time: on a busy machine only these tell.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, start } from "./contenders.ts";
import { openGraphPlace } from "./graph-place.ts";
import { percentile } from "./numbers.ts";
import { tenantIds } from "./workload.ts";

const runs = Number(process.argv[2] ?? 7);
const directory = mkdtempSync(join(tmpdir(), "start-up-"));
const graph = await openGraphPlace(directory);
const bench: Bench = { brokers: [], graph, directory, bento: null, smoke: false, say: () => {} };

try {
  for (const asInImage of [false, true]) {
    for (const isNew of [true, false]) {
      const program = asInImage ? "the bundle" : "the sources";
      process.stdout.write(
        `${program}, ${isNew ? "an empty directory" : "a log that is there"}: ${await measured(asInImage, isNew)}\n`,
      );
    }
  }
} finally {
  await graph.close();
  rmSync(directory, { recursive: true, force: true });
}

async function measured(asInImage: boolean, isNew: boolean): Promise<string> {
  const readyMs: number[] = [];
  const cpuMs: number[] = [];
  let dataDir = mkdtempSync(join(directory, "data-"));
  // The first one is not counted: the program is built, files come into the page cache, the log is made.
  for (let run = 0; run <= runs; run++) {
    if (isNew) dataDir = mkdtempSync(join(directory, "data-"));
    const settings = { kafka: null, tenants: tenantIds(1), inFlight: 32, dataDir, asInImage };
    const worker = await start(bench, "registrar", settings);
    const ms = await worker.ready();
    const usedMs = worker.child.cpuUs() / 1000;
    await worker.stop();
    if (run === 0) continue;
    readyMs.push(ms);
    cpuMs.push(usedMs);
  }
  const of = (values: readonly number[]) =>
    `${Math.round(percentile(values, 0.5))} ms (${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))})`;
  return `ready after ${of(readyMs)}, processor time ${of(cpuMs)}`;
}
