/**
 * How long a tenants file of 100,000 takes to be read again, and how long the event loop stands still for it at the most. By hand:
 * `node lab/bench/tenants-reload.ts`. Every second tenant of the new file is another one. Beside the time by the wall clock it says the
 * time that this thread had the processor: on a busy machine only that tells.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { parseTenantsNow } from "../../src/tenants/parse.ts";
import { readTenantsFileNow } from "../../src/tenants/read-file.ts";
import { createServed } from "../../src/tenants/served.ts";
import { watchTenantsFile } from "../../src/tenants/watch.ts";

const count = 100_000;
const rounds = 6;

function fileText(round: number): string {
  const tenants = Array.from({ length: count }, (_, n) => {
    const generation = n % 2 === 0 ? 0 : round;
    const tenantId = `${n.toString(16).padStart(8, "0")}-0000-4000-8000-${generation.toString(16).padStart(12, "0")}`;
    return { tenantId, name: `Customer ${n}`, writesPer20s: 50 };
  });
  return JSON.stringify({ tenants });
}

const directory = mkdtempSync(join(tmpdir(), "tenants-reload-"));
const path = join(directory, "tenants.json");
writeFileSync(path, fileText(0));
const read = readTenantsFileNow(path);
if (!read.ok) throw new Error(read.text);
const parsed = parseTenantsNow(read.bytes);
if (!parsed.ok) throw new Error("the file is bad");
const served = createServed(parsed.content.tenants, "global");
const cpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};
const turns = { lastMs: 0, longestMs: 0, lastCpuMs: 0, longestCpuMs: 0, running: false };
const tick = () => {
  const nowMs = performance.now();
  const nowCpuMs = cpuMs();
  turns.longestMs = Math.max(turns.longestMs, nowMs - turns.lastMs);
  turns.longestCpuMs = Math.max(turns.longestCpuMs, nowCpuMs - turns.lastCpuMs);
  Object.assign(turns, { lastMs: nowMs, lastCpuMs: nowCpuMs });
  if (turns.running) setImmediate(tick);
};
let told = () => {};
const file = watchTenantsFile({
  path,
  first: parsed.content,
  firstMark: read.mark,
  judge: () => [],
  clock: systemClock,
  onReloaded({ content, changes, durationMs }) {
    served.replace(content.tenants, changes);
    process.stdout.write(
      `${changes.added.length} added, ${changes.removed.length} removed in ${Math.round(durationMs)} ms`,
    );
    told();
  },
  onBad: (problems) => process.stdout.write(`${problems.join("; ")}\n`),
});
for (let round = 1; round <= rounds; round++) {
  const text = fileText(round);
  const reloaded = new Promise<void>((resolve) => {
    told = resolve;
  });
  writeFileSync(path, text);
  const startCpuMs = cpuMs();
  Object.assign(turns, { lastMs: performance.now(), lastCpuMs: startCpuMs, longestMs: 0, longestCpuMs: 0 });
  // To look at every turn takes the processor all the time: every second round shows what the reading alone takes.
  turns.running = round % 2 === 1;
  if (turns.running) setImmediate(tick);
  await reloaded;
  const spentMs = (cpuMs() - startCpuMs).toFixed(0);
  if (!turns.running) {
    process.stdout.write(` (processor ${spentMs} ms)\n`);
    continue;
  }
  turns.running = false;
  const [wall, cpu] = [turns.longestMs.toFixed(1), turns.longestCpuMs.toFixed(1)];
  process.stdout.write(`, longest turn ${wall} ms (processor ${cpu} ms)\n`);
}
file.close();
rmSync(directory, { recursive: true });
