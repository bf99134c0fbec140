/**
 * Processes of the product and of the emulator, each with a log file of its output. They are ended by their ids, also
 * when this process is killed: a watchdog shell gets each id, and ends them when its standard input closes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { builtProgramVariable } from "../testkit/built-program.ts";
import { npmStart } from "../testkit/npm-start.ts";

export interface Child {
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  isRunning(): boolean;
  signal(name: NodeJS.Signals): void;
}

export interface Processes {
  start(name: string, program: Program, onLine: OnLine): Child;
  endAll(): Promise<void>;
}

export type Environment = Readonly<Record<string, string>>;
export interface Program {
  /** A file and its arguments. */
  readonly command: readonly string[];
  /** It gets nothing of this process's own but the PATH, and where Node.js keeps what it compiled. */
  readonly environment: Environment;
}
type OnLine = (line: string) => void;

const root = join(import.meta.dirname, "..", "..");
const built = process.env[builtProgramVariable];
/** The product's program, which the name of a command follows. Of the sources, or of what `npm test` built of them. */
export const registrarProgram = built ?? join(root, "src", "cli", "main.ts");
/** The emulator's program, with its command where it needs one. */
export const emulatorCommand: readonly string[] =
  built === undefined ? [join(root, "emulator", "main.ts")] : [built, "emulate-graph"];

const inherited: Environment = Object.fromEntries(
  ["PATH", "NODE_COMPILE_CACHE"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/** As users start it, and with a limit, so that a leak ends a process early. */
const nodeOptions = [...npmStart().nodeOptions, "--max-old-space-size=192"];

const guardScript = `
pids=" "
while read -r what pid; do
  case $what in
    started) pids="$pids$pid " ;;
    ended) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
[ "$pids" = " " ] || kill -9 $pids
`;

export function openProcesses(logDirectory: string): Processes {
  const children = new Set<ChildProcess>();
  const guard = spawn("sh", ["-c", guardScript], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  guard.stdin.on("error", () => {});
  const killAll = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.on("exit", killAll);
  let isOver = false;
  return {
    start(name, { command, environment }, onLine) {
      const child = spawn(process.execPath, [...nodeOptions, ...command], {
        env: { ...inherited, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
        // A process group of its own: only this process gets Ctrl-C, and then ends the others.
        detached: true,
      });
      children.add(child);
      // When a worker ends, another may be started, also after the end of the run: that one is ended immediately.
      if (isOver) child.kill("SIGKILL");
      if (child.pid !== undefined) guard.stdin.write(`started ${child.pid}\n`);
      const file = createWriteStream(join(logDirectory, `${name}.log`), { flags: "a" });
      createInterface({ input: child.stdout }).on("line", (line) => {
        file.write(`${line}\n`);
        onLine(line);
      });
      child.stderr.on("data", (chunk: Buffer) => file.write(chunk));
      const ended = new Promise<string>((resolve) => {
        child.once("error", (error) => resolve(error.message));
        child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
      }).then((how) => {
        children.delete(child);
        if (child.pid !== undefined && guard.stdin.writable) guard.stdin.write(`ended ${child.pid}\n`);
        file.end(`# ${how}\n`);
        return how;
      });
      return {
        pid: child.pid ?? 0,
        ended,
        isRunning: () => children.has(child),
        signal: (signalName) => void child.kill(signalName),
      };
    },
    async endAll() {
      isOver = true;
      while (children.size > 0) {
        const closed = [...children].map((child) => new Promise((resolve) => child.once("close", resolve)));
        killAll();
        await Promise.all(closed);
      }
      guard.stdin.end();
      process.off("exit", killAll);
    },
  };
}
