/**
 * Runs the command line as users do: a process of its own, with nothing of this environment but the PATH, and where
 * `npm test` keeps what is compiled.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { builtProgramVariable } from "../../lab/testkit/built-program.ts";

const root = join(import.meta.dirname, "..", "..");
/** What a clone runs from lab/; all else is in the program that the package installs. */
const ofLab = new Set(["simulate", "chaos", "bench", "fuzz"]);
/**
 * The sources, or what `npm test` built of them: a bundle starts in a quarter of the time, and is what users run.
 */
export const programFor = (args: readonly string[]) =>
  ofLab.has(args[0] ?? "")
    ? join(root, "lab/main.ts")
    : (process.env[builtProgramVariable] ?? join(root, "demo/main.ts"));

export const inherited: Environment = Object.fromEntries(
  ["PATH", "NODE_COMPILE_CACHE", builtProgramVariable].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The first line of standard output that matches, past or future; rejects when the process ends without it. */
  line(pattern: RegExp): Promise<string>;
}

export type Environment = Readonly<Record<string, string>>;

export interface RunOptions {
  /** On standard input, from the start. */
  readonly input?: string;
  /** Standard input does not end behind `input`. */
  readonly keepInputOpen?: boolean;
  /** One that takes longer hangs, and must not outlive its test. */
  readonly limitMs?: number;
}

export function startCli(
  args: readonly string[],
  environment: Environment = {},
  { input = "", keepInputOpen = false, limitMs = 120_000 }: RunOptions = {},
): Running {
  const env = { ...inherited, ...environment };
  const child = spawn(process.execPath, [programFor(args), ...args], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const lines: string[] = [];
  const waiters = new Set<() => void>();
  let stderr = "";
  child.stdin.on("error", () => {}).write(input);
  if (!keepInputOpen) child.stdin.end();
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const wake of [...waiters]) wake();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, stdout: lines.map((line) => `${line}\n`).join(""), stderr });
      for (const wake of [...waiters]) wake();
    });
  });
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find((each) => pattern.test(each));
        if (found === undefined && child.exitCode === null && child.signalCode === null) return;
        waiters.delete(look);
        if (found === undefined) reject(new Error(`no line ${pattern} in\n${lines.join("\n")}\n${stderr}`));
        else resolve(found);
      };
      waiters.add(look);
      look();
    });
  return { child, ended, line };
}

export function runCli(args: readonly string[], environment?: Environment, input = ""): Promise<Ended> {
  return startCli(args, environment, { input }).ended;
}

/** As `startCli`, with a standard output of the caller's. */
export function startCliTo(stdout: number, args: readonly string[], environment: Environment = {}) {
  const child = spawn(process.execPath, [programFor(args), ...args], {
    env: { ...inherited, ...environment },
    stdio: ["ignore", stdout, "pipe"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  let stderr = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Omit<Ended, "stdout">>((resolve) => {
    child.on("close", (code) => resolve({ code, stderr }));
  });
  return { child, ended, errors: () => stderr };
}

/** Asks until it is so. A condition that throws counts as not yet. */
export async function waitUntil(condition: () => Promise<boolean>, about: () => string): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadlineMs) throw new Error(`not so after 60 s: ${about()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A directory that is gone after the test. */
export function temporaryDirectory(t: { after(end: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), "connector-registrar-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
