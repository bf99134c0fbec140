/** `chaos --rolling`: runs rolling restarts, and tells how long any tenant stood still; succeeds only if nothing is lost or doubled. */
import { exitCodes, fail, plain, print, say } from "../../../src/cli/terminal.ts";
import { runInPlace } from "../in-place.ts";
import type { ChaosFlags } from "../options.ts";
import { rollingProblem, rollingSummary } from "./summary.ts";

export async function runRollingCommand(flags: ChaosFlags): Promise<void> {
  const unfit = rollingProblem(flags);
  if (unfit !== null) return fail(unfit, exitCodes.usage);
  const { rate: ratePerS, seed, ids, timeout } = flags;
  return runInPlace({
    name: "rolling",
    options: { brokers: 1, flavor: "kafka", seed },
    flags,
    async run({ brokers }, surroundings) {
      const { runRolling } = await import("./run.ts");
      const { static: isStatic = false, program = null } = flags;
      const settings = { ratePerS, seed, ids, isStatic, program, timeoutMs: timeout * 1000 };
      return runRolling({ ...settings, ...surroundings }, brokers);
    },
    tell: (done) => tell(rollingSummary(done, flags), flags),
  });
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
