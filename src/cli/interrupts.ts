/** SIGTERM and SIGINT: the first asks to end in good order, the second ends at once. */
import { exitCodes, say } from "./terminal.ts";

export interface Interrupts {
  /** Aborted by the first signal; the reason is the signal's name. */
  readonly signal: AbortSignal;
  stopListening(): void;
}

export function onInterrupt(note: string): Interrupts {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    if (note !== "") say(`${note}\n`);
    controller.abort(name);
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return {
    signal: controller.signal,
    stopListening() {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    },
  };
}
