/** The heap of a process that serves: V8 logs when it considers allocating objects in its old generation. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const heap = fileURLToPath(new URL("../../src/cli/serve/heap.ts", import.meta.url));
/** As requests do that come in bursts: all are in use at each collection, and none for long. */
const made = `
  function made(count) { return Array.from({ length: count }, (_, index) => ({ parts: [index], of: { index } })); }
  let kept = [];
`;
const bursts = `${made}
  for (let burst = 0; burst < 25; burst++) kept = made(20_000);
`;

function considered(before: string): number {
  const args = ["--trace-pretenuring-statistics", "--input-type=module", "-e", `${before}${bursts}`];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0);
  return stdout.split("\n").filter((line) => line.includes("pretenuring: AllocationSite")).length;
}

test("objects of requests are not taken for long-lived ones", () => {
  assert.ok(considered("") > 0, "V8 does so by itself");
  assert.equal(considered(`import { keepHeapFlat } from ${JSON.stringify(heap)}; keepHeapFlat();`), 0);
});

/** Much survives, of which V8 makes a larger young generation. */
const survivors = `
  const { getHeapSpaceStatistics } = await import("node:v8");
  const bytes = () => getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size;
  let most = 0;
  for (let turn = 0; turn < 250; turn++) {
    kept = [...kept.slice(-20), made(4_000)];
    await new Promise(setImmediate);
    most = Math.max(most, bytes());
  }
  console.log(most);
`;

function youngMb(before: string): number {
  const args = ["--input-type=module", "-e", `${before}${made}${survivors}`];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0);
  return Number(stdout) / 1024 / 1024;
}

test("the young generation grows to 32 MB and no further", () => {
  assert.ok(youngMb("") > 32, "V8 goes further by itself");
  assert.equal(youngMb(`import { keepHeapFlat } from ${JSON.stringify(heap)}; keepHeapFlat();`), 32);
});
