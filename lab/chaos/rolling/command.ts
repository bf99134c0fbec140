/** `chaos --rolling`: runs rolling restarts, and tells how long any tenant stood still; succeeds only if nothing is lost or doubled. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onInterrupt } from "../../../src/cli/interrupts.ts";
import { exitCodes, fail, plain, print, say } from "../../../src/cli/terminal.ts";
import type { ChaosFlags } from "../options.ts";
import { type ChaosPlace, openPlace } from "../place.ts";
import { rollingProblem, rollingSummary } from "./summary.ts";

export async function runRollingCommand(flags: ChaosFlags): Promise<void> {
  const unfit = rollingProblem(flags);
  if (unfit !== null) return fail(unfit, exitCodes.usage);
  const interrupts = onInterrupt("stopping");
  const directory = mkdtempSync(join(tmpdir(), "connector-registrar-rolling-"));
  // Progress goes where the result doesn't have to be the only thing.
  const output = flags.json ? process.stderr : process.stdout;
  let place: ChaosPlace | null = null;
  try {
    const options = { brokers: 1, flavor: "kafka", seed: flags.seed } as const;
    const found = await openPlace(options, directory, interrupts.signal);
    if (!found.ok) return fail(found.problem, exitCodes.usage);
    place = found.place;
    const { runRolling } = await import("./run.ts");
    const { rate: ratePerS, seed, ids, timeout } = flags;
    const settings = {
      ...{ ratePerS, seed, ids, directory, isStatic: flags.static ?? false, timeoutMs: timeout * 1000 },
      interrupted: interrupts.signal,
      say: (line: string) => void output.write(`${plain(line)}\n`),
    };
    const result = await runRolling(settings, place.brokers);
    if (result.kind === "interrupted") process.exitCode = exitCodes.interrupted;
    else if (result.kind === "failed") fail(result.problem);
    else tell(rollingSummary(result, flags), flags);
  } finally {
    interrupts.stopListening();
    await place?.close();
    const isKept = flags.keepLogs || process.exitCode === exitCodes.failed;
    if (isKept) say(`The logs of all processes are in ${directory}.\n`);
    else rmSync(directory, { recursive: true, force: true });
  }
}

function tell(summary: ReturnType<typeof rollingSummary>, { json }: ChaosFlags): void {
  const { problems, restarts, ...figures } = summary;
  for (const problem of problems) say(`${plain(problem)}\n`);
  if (json) print(JSON.stringify(summary));
  else {
    for (const { worker, stopMs, startMs, pauseMs } of restarts)
      print(`worker ${worker}: stop ${stopMs} ms, start ${startMs} ms, longest pause ${pauseMs} ms`);
    for (const [name, value] of Object.entries(figures)) print(`${name.padEnd(22)}${value}`);
  }
  if (problems.length > 0) process.exitCode = exitCodes.failed;
}
