/**
 * `node run-files.ts TEST-FILE ...`: runs test files in this one process and ends at the first failure. Prints one line of JSON: the
 * test that failed, if one did, and how long each file took.
 */
import { writeSync } from "node:fs";
import { relative } from "node:path";
import { run } from "node:test";

export interface FilesResult {
  /** Null: all passed. */
  readonly failed: string | null;
  readonly passed: number;
  /** Milliseconds by file, as it was given. */
  readonly durationsMs: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
}

if (import.meta.main) await main(process.argv.slice(2));

async function main(files: string[]): Promise<void> {
  const durationsMs: Record<string, number> = {};
  let passed = 0;
  const end = (failed: string | null): never => {
    const { user, system } = process.cpuUsage();
    const result: FilesResult = { failed, passed, durationsMs, cpuSeconds: (user + system) / 1e6 };
    writeSync(1, `\n${JSON.stringify(result)}\n`);
    process.exit(failed === null ? 0 : 1);
  };
  const events = run({ files, isolation: "none", concurrency: false });
  events.on("test:fail", ({ name, todo }) => {
    if (todo === undefined) end(name);
  });
  events.on("test:pass", ({ file, nesting, details }) => {
    passed++;
    if (nesting > 0 || file === undefined) return;
    const path = relative(process.cwd(), file);
    durationsMs[path] = (durationsMs[path] ?? 0) + details.duration_ms;
  });
  for await (const _ of events);
  end(null);
}
