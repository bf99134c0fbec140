#!/usr/bin/env node
/**
 * The emulator as a program of its own: `node emulator/main.ts --http-port 8080`.
 * Exit codes: 0 ended by a signal, 1 failed, 2 usage, 130 a second signal.
 */
import { CommanderError } from "commander";
import { command } from "./command.ts";
import { exitCodes, type Host } from "./host.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    stop.abort();
  });
}
// A reader that went away has had what it wanted.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

const host: Host = {
  print: (line) => void process.stdout.write(`${line}\n`),
  fail({ message, fix }, exitCode) {
    process.stderr.write(`graph-emulator: ${message}\n  ${fix}\n`);
    process.exitCode = exitCode;
  },
  onStop: () => ({ signal: stop.signal, stopListening: () => {} }),
};

try {
  await command(host)
    .name("graph-emulator")
    .exitOverride()
    .parseAsync(process.argv.slice(2), { from: "user" });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode !== 0) {
    process.stderr.write("Type the command again with --help to see what it takes.\n");
    process.exitCode = exitCodes.usage;
  }
}
