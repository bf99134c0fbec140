/**
 * Processor time of test files, and of the processes that they started and waited for. The time on the clock says little
 * where machines are busy. Linux shows it in /proc; elsewhere a file's children are left out. Containers always are.
 */
import { appendFileSync, readFileSync } from "node:fs";

/** Names the file that each test file adds a line to when it ends. */
export const timesVariable = "CONNECTOR_REGISTRAR_TEST_TIMES";

/** Of `/proc`, whatever the kernel's own clock is. */
const ticksPerSecond = 100;
const shownFiles = 12;

/** Of this process, and of all below it that have ended. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + childrenSeconds();
}

export function recordAtEnd(file: string): void {
  const path = process.env[timesVariable];
  if (path === undefined) return;
  process.on("exit", () => {
    const [processor, wall] = [processorSeconds(), performance.now() / 1000].map((n) => n.toFixed(1));
    appendFileSync(path, `${processor} ${wall} ${file}\n`);
  });
}

export interface FileTimes {
  readonly file: string;
  readonly processorSeconds: number;
  /** On the clock, from the start of its process to the end. */
  readonly wallSeconds: number;
}

/** What was recorded, most processor time first. */
export function timesOf(recorded: string): FileTimes[] {
  return [...recorded.matchAll(/^(\S+) (\S+) (.+)$/gm)]
    .map(([, processor, wall, file = ""]) => ({
      file,
      processorSeconds: Number(processor),
      wallSeconds: Number(wall),
    }))
    .toSorted((a, b) => b.processorSeconds - a.processorSeconds);
}

/** What took most of it, and all of it together, on a few lines. */
export function timesReport(
  times: readonly FileTimes[],
  totalSeconds: number,
  nameOf: (file: string) => string,
): string[] {
  return [
    `Processor time: ${totalSeconds.toFixed(0)} s, without containers. Most of it:`,
    ...times
      .slice(0, shownFiles)
      .map(({ processorSeconds, file }) => `${processorSeconds.toFixed(1).padStart(7)} s  ${nameOf(file)}`),
  ];
}

/** All of them: processor seconds, seconds on the clock, the file. */
export function timesTable(times: readonly FileTimes[], nameOf: (file: string) => string): string {
  const seconds = (value: number) => value.toFixed(1).padStart(7);
  return times
    .map(
      ({ processorSeconds, wallSeconds, file }) =>
        `${seconds(processorSeconds)} ${seconds(wallSeconds)}  ${nameOf(file)}\n`,
    )
    .join("");
}

function childrenSeconds(): number {
  if (process.platform !== "linux") return 0;
  // The command's name stands in parentheses and may hold anything; what follows it are numbers.
  const text = readFileSync("/proc/self/stat", "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[13]), Number(fields[14])];
  return (user + system) / ticksPerSecond;
}
