/**
 * Where a worker's time went: `node lab/bench/self-times.ts FILE.cpuprofile [rows]` prints the share of each function's own
 * time, and with `--within` also the share of all that it called, idle time left out.
 */
import { readFileSync } from "node:fs";

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

const [file, ...rest] = process.argv.slice(2);
const within = rest.includes("--within");
const rows = Number(rest.find((word) => /^\d+$/.test(word)) ?? 40);
const profile = JSON.parse(readFileSync(file!, "utf8")) as Profile;

const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
const own = new Map<number, number>();
for (const [i, id] of profile.samples.entries()) own.set(id, (own.get(id) ?? 0) + profile.timeDeltas[i]!);

const idle = new Set(["(idle)", "(root)"]);
const selfUs = new Map<string, number>();
const totalUs = new Map<string, number>();
let allUs = 0;

function visit(id: number, above: ReadonlySet<string>): number {
  const node = nodes.get(id)!;
  const name = nameOf(node);
  const isIdle = idle.has(node.callFrame.functionName);
  const self = isIdle ? 0 : (own.get(id) ?? 0);
  allUs += self;
  selfUs.set(name, (selfUs.get(name) ?? 0) + self);
  const stack = above.has(name) ? above : new Set([...above, name]);
  let total = self;
  for (const child of node.children ?? []) total += visit(child, stack);
  // A function that calls itself counts once.
  if (!above.has(name)) totalUs.set(name, (totalUs.get(name) ?? 0) + total);
  return total;
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const place = url.replace(/^.*\/(node_modules|src|bench)\//, (_, folder) => `${folder}/`);
  return `${functionName || "(anonymous)"} ${place}${place === "" ? "" : `:${lineNumber + 1}`}`;
}

visit(profile.nodes[0]!.id, new Set());
const list = [...(within ? totalUs : selfUs)].toSorted((a, b) => b[1] - a[1]).slice(0, rows);
console.log(`${(allUs / 1000).toFixed(0)} ms busy`);
for (const [name, us] of list) console.log(`${((100 * us) / allUs).toFixed(1).padStart(5)} %  ${name}`);
