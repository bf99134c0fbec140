/**
 * What every command of chaos has around its run: brokers of its own, a directory with the logs of all processes, Ctrl-C,
 * progress, and the exit code.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onInterrupt } from "../../src/cli/interrupts.ts";
import { exitCodes, fail, plain, say } from "../../src/cli/terminal.ts";
import type { Problem } from "../../src/problem.ts";
import type { ChaosFlags, ChaosOptions } from "./options.ts";
import type { ChaosPlace } from "./place.ts";

/** What every kind of run is given. */
export interface RunSurroundings {
  /** For the logs and data of all processes. */
  readonly directory: string;
  readonly interrupted: AbortSignal;
  readonly say: (line: string) => void;
}

export type RunResult<Done> =
  | Done
  | { readonly kind: "interrupted" }
  | { readonly kind: "failed"; readonly problem: Problem };

interface InPlace<Done> {
  /** Of the directory. */
  readonly name: string;
  readonly options: Pick<ChaosOptions, "brokers" | "flavor" | "seed">;
  readonly flags: Pick<ChaosFlags, "json" | "keepLogs">;
  run(place: ChaosPlace, surroundings: RunSurroundings): Promise<RunResult<Done>>;
  /** Prints the result; sets the exit code if it is a failure. */
  tell(done: Done, place: ChaosPlace): void;
}

export async function runInPlace<Done extends { readonly kind: "done" }>({
  name,
  options,
  flags,
  run,
  tell,
}: InPlace<Done>): Promise<void> {
  const interrupts = onInterrupt("stopping");
  const directory = mkdtempSync(join(tmpdir(), `connector-registrar-${name}-`));
  // Progress goes where the result doesn't have to be the only thing.
  const output = flags.json ? process.stderr : process.stdout;
  let place: ChaosPlace | null = null;
  try {
    const { openPlace } = await import("./place.ts");
    const found = await openPlace(options, directory, interrupts.signal);
    if (found.ok) place = found.place;
    if (interrupts.signal.aborted) {
      process.exitCode = exitCodes.interrupted;
      return;
    }
    if (!found.ok) return fail(found.problem, exitCodes.usage);
    const result = await run(found.place, {
      directory,
      interrupted: interrupts.signal,
      say: (line) => void output.write(`${plain(line)}\n`),
    });
    if (result.kind === "interrupted") process.exitCode = exitCodes.interrupted;
    else if (result.kind === "failed") fail(result.problem);
    else tell(result, found.place);
  } finally {
    interrupts.stopListening();
    await place?.close();
    const isKept = flags.keepLogs || process.exitCode === exitCodes.failed;
    if (isKept) say(`The logs of all processes are in ${directory}.\n`);
    else rmSync(directory, { recursive: true, force: true });
  }
}
