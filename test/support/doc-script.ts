/** Runs a block of a document as a shell script, to its end or until it has printed a text. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { TestedBlock } from "./doc-commands.ts";

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** What runs a script: the command and its words before the script. */
  readonly shell: readonly [command: string, ...words: string[]];
}

export const plainShell = ["bash", "-euo", "pipefail", "-c"] as const;
/** On a terminal of its own, as a person has it; of util-linux. */
export const terminalShell = ["script", "--quiet", "--return", "--flush", "/dev/null", "--command"] as const;

export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

export interface RunningScript {
  /** It has ended, or printed the block's `until`. */
  readonly reached: Promise<void>;
  hasPrinted(text: string): boolean;
  /** Ends all that it started. */
  stop(): Promise<Outcome>;
}

/** The environment of this process, without what would make the commands behave otherwise than a reader's. */
export function readersEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of ["NODE_TEST_CONTEXT", "NODE_OPTIONS", "KAFKA_BROKERS"]) delete env[name];
  return env;
}

function startBlock({ script, run }: TestedBlock, { cwd, env, shell }: Place): RunningScript {
  const [command, ...words] = shell;
  // A process group of its own, so that what the script started ends with it.
  const child = spawn(command, [...words, script], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const reached = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number | null>();
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    if (run.until !== null && output.includes(run.until)) reached.resolve();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.on("error", ended.reject);
  child.on("exit", (code) => {
    ended.resolve(code);
    reached.resolve();
  });
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // All of it has ended.
    }
  };
  const timer = setTimeout(() => {
    output += `\nended after ${run.timeoutMs} ms\n`;
    endGroup();
  }, run.timeoutMs);
  void reached.promise.then(() => clearTimeout(timer));
  return {
    reached: reached.promise,
    hasPrinted: (text) => output.includes(text),
    async stop() {
      endGroup();
      return { exitCode: await ended.promise, output };
    },
  };
}

/** Runs it as far as its mark says, and checks what it printed. A script that still runs is returned, for the caller to stop. */
export async function checkBlock(block: TestedBlock, place: Place): Promise<RunningScript | null> {
  const running = startBlock(block, place);
  await running.reached;
  if (block.run.until !== null && running.hasPrinted(block.run.until)) return running;
  const { exitCode, output } = await running.stop();
  if (block.run.until !== null)
    assert.fail(`it ended (${exitCode}) without "${block.run.until}":\n${output}`);
  assert.equal(exitCode, block.run.exitCode, output);
  for (const text of block.run.contains) assert.ok(output.includes(text), `no "${text}" in:\n${output}`);
  return null;
}
