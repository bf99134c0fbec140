/**
 * SIGTERM, SIGINT and SIGHUP, from the program's first line on.
 *
 * Invariants
 * 1. This file is loaded before anything that takes time. Before a command has taken over nothing was begun, so a signal
 *    ends the process immediately.
 * 2. The first signal asks the command to finish and end, the second ends the process immediately.
 * 3. The process ends at the latest `withinMs` after the first signal, even if something hangs.
 */
import { exitCodes, say } from "./terminal.ts";

export interface Interrupts {
  /** Aborted by the first signal; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** For a command that has nothing to finish before it ends. */
  stopListening(): void;
}

export interface Stop {
  /** Limit of the whole stop, from the signal to the end of the process. */
  readonly withinMs: number;
  /** Of a stop that had to be cut off. */
  readonly exitCode: number;
  /** Last words before that, if the usual line does not fit. */
  readonly onCutOff: () => void;
  /** What SIGHUP asks for, where it is not the end. */
  readonly onHangUp: (() => void) | null;
}

interface Command extends Stop {
  readonly controller: AbortController;
}

const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What SHUTDOWN_TIMEOUT_MS is by default, for commands that read no settings. */
const defaultWithinMs = 9_000;

/** Of the limit, for the last words and the end of the process itself. */
const lastWordsMs = 200;

let command: Command | null = null;
let wasInterrupted = false;

for (const name of names) process.on(name, onSignal);

export function onInterrupt(note: string, stop: Partial<Stop> = {}): Interrupts {
  const controller = new AbortController();
  const withinMs = stop.withinMs ?? defaultWithinMs;
  const own: Command = {
    controller,
    withinMs,
    exitCode: stop.exitCode ?? exitCodes.interrupted,
    onHangUp: stop.onHangUp ?? null,
    onCutOff: stop.onCutOff ?? (() => say(`connector-registrar: not ended after ${withinMs} ms, cut off.\n`)),
  };
  if (note !== "") controller.signal.addEventListener("abort", () => say(`${note}\n`));
  command = own;
  return {
    signal: controller.signal,
    stopListening() {
      if (command === own) command = null;
    },
  };
}

/** Whether the process is about to end because of a signal. */
export function interrupted(): boolean {
  return wasInterrupted;
}

function onSignal(name: NodeJS.Signals): void {
  if (name === "SIGHUP" && command?.onHangUp) return command.onHangUp();
  if (wasInterrupted) process.exit(exitCodes.interrupted);
  wasInterrupted = true;
  if (command === null) process.exit(exitCodeBeforeCommand());
  const { controller, withinMs, exitCode, onCutOff } = command;
  // Not ref'd: it must not keep a process alive that has finished.
  setTimeout(
    () => {
      onCutOff();
      process.exit(exitCode);
    },
    withinMs - Math.min(lastWordsMs, withinMs / 10),
  ).unref();
  controller.abort(name);
}

/** A worker or a service that is stopped has done its work, however early; any other command is interrupted. */
function exitCodeBeforeCommand(): number {
  return ["start", "serve"].includes(process.argv[2] ?? "") ? exitCodes.done : exitCodes.interrupted;
}
