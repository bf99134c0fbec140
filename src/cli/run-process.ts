/** Runs a command line as the process: signals and output first, then the rest, which is loaded only then. */
import "./node-version.ts";
import { interrupted } from "./interrupts.ts";
import { outputTaken, watchOutput } from "./terminal.ts";

/** `load`: a signal that comes while it loads has its listener already. */
export async function runProcess(
  load: () => Promise<(argv: readonly string[]) => Promise<number>>,
): Promise<void> {
  watchOutput();
  const run = await load();
  const code = await run(process.argv.slice(2));
  // Output that failed meanwhile counts too.
  process.exitCode ||= code;
  // A slow reader (`| less`) gets all of it; a signal ends the wait.
  await outputTaken();
  // A handle left open by a library must not keep a finished command alive; nor must a reader of standard error.
  setTimeout(() => process.exit(), 2_000).unref();
  if (interrupted()) process.exit();
}
