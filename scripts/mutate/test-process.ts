/** Runs test files in a process of their own, with one module changed. A process that runs on and on is ended. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import type { FilesResult } from "./run-files.ts";

export type Ran =
  | { readonly kind: "ran"; readonly result: FilesResult }
  | { readonly kind: "ended"; readonly why: string };

export interface Changed {
  readonly file: string;
  readonly text: string;
}

/** Far more than any run takes on a busy machine: only for what waits for real and never ends. */
const wallMaxMs = 300_000;

export interface TestProcesses {
  /** `cpuSeconds`: what it may use. Virtual time that never ends uses the processor, however busy the machine is. */
  run(tests: readonly string[], changed: Changed | null, cpuSeconds: number): Promise<Ran>;
}

/** `scratch`: a directory for what goes to the processes. */
export function createTestProcesses(root: string, scratch: string): TestProcesses {
  const node = process.execPath;
  const here = import.meta.dirname;
  let count = 0;

  return {
    async run(tests, changed, cpuSeconds) {
      const env: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: join(scratch, "compiled") };
      delete env.NODE_TEST_CONTEXT;
      if (changed !== null) {
        const textPath = join(scratch, `${++count}.txt`);
        writeFileSync(textPath, changed.text);
        env.MUTATE_TEXT = textPath;
        env.MUTATE_URL = pathToFileURL(join(root, changed.file)).href;
      }
      const args = [
        "--no-warnings",
        "--max-old-space-size=1024",
        "--import",
        pathToFileURL(join(here, "hook.mjs")).href,
      ];
      const command = [node, ...args, join(here, "run-files.ts"), ...tests];
      const child = spawn(
        "/bin/sh",
        ["-c", 'ulimit -t "$0" && exec "$@"', String(Math.ceil(cpuSeconds)), ...command],
        {
          cwd: root,
          env,
          stdio: ["ignore", "pipe", "ignore"],
        },
      );
      const timer = setTimeout(() => child.kill("SIGKILL"), wallMaxMs);
      const closed = new Promise<NodeJS.Signals | null>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (_code, signal) => resolve(signal));
      });
      const [output, signal] = await Promise.all([text(child.stdout), closed]);
      clearTimeout(timer);
      const last = output.trimEnd().split("\n").at(-1) ?? "";
      if (last.startsWith("{")) return { kind: "ran", result: JSON.parse(last) as FilesResult };
      return { kind: "ended", why: signal ?? "it ended before its tests did" };
    },
  };
}
