/** The log of a command that a person waits for: it shows each failed attempt. */
import { systemClock } from "../clock.ts";
import { type OpenLog, openLogWithRetry } from "../compose.ts";
import type { Settings } from "../config/table.ts";
import { exitCodes, fail, say } from "./terminal.ts";

/** Null: it could not be opened, or was interrupted; the exit code says which. */
export async function openCommandLog(settings: Settings, interrupted: AbortSignal): Promise<OpenLog | null> {
  const opening = await openLogWithRetry(
    settings,
    {
      clock: systemClock,
      onRetry: (problem, retryInMs) =>
        say(`connector-registrar: ${problem.message} Trying again in ${retryInMs / 1000} s.\n`),
    },
    interrupted,
  );
  if (opening === null) process.exitCode = exitCodes.interrupted;
  else if (!opening.ok) fail(opening.problem, exitCodes.usage);
  return opening?.ok ? opening.log : null;
}
