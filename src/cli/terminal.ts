/** What commands say to people, and how they end. Results go to standard output, everything else to standard error. */
import type { SettingProblem } from "../config/problem.ts";
import type { Problem } from "../problem.ts";
import { asTyped } from "./typed.ts";

export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * Output that can't be written. A reader that closed the pipe (`| head -1`) has what it wanted: the command continues without
 * a message. Any other failure to write to standard output (a full disk) is reported once.
 */
export function watchOutput(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (outputFailed) return;
    outputFailed = true;
    if (error.code === "EPIPE") return;
    fail({
      code: "output",
      message: `Standard output can't be written: ${error.code}.`,
      fix: "Check the disk or the program that it leads to, then type the command again.",
    });
  });
}

let outputFailed = false;

export function say(text: string): void {
  process.stderr.write(asTyped(text));
}

export function print(line: string): void {
  if (!outputFailed) process.stdout.write(`${line}\n`);
}

/** Once standard output has taken all that was printed, or never will. A file takes it immediately. */
export function outputTaken(): Promise<void> {
  // To write nothing fails too on a full disk, where `start` printed nothing that could be missing.
  if (process.stdout.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    process.stdout.write("", () => resolve());
  });
}

/** Reports the problem and sets the exit code. */
export function fail(problem: Problem, exitCode: number = exitCodes.failed): void {
  say(`connector-registrar: ${problem.message}\n  ${problem.fix}\n`);
  process.exitCode = exitCode;
}

/** Every problem of the settings, each with the variable, what was given and what to type. */
export function settingProblemsText(problems: readonly SettingProblem[]): string {
  const lines = [
    `connector-registrar: ${problems.length === 1 ? "one setting needs" : `${problems.length} settings need`} a change`,
  ];
  for (const { variable, given, problem, fix } of problems) {
    lines.push("", `  ${variable} (given: ${given}) ${problem}`, `    type: ${fix}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Control characters in foreign text must not reach a terminal. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\u00b7");
}
