/** `chaos --hours`: runs a soak, and tells its table; succeeds only if nothing is lost, doubled or growing. */
import { exitCodes, fail, plain, print, say } from "../../../src/cli/terminal.ts";
import { runInPlace } from "../in-place.ts";
import type { ChaosFlags } from "../options.ts";
import { runSoak, type SoakDone } from "./run.ts";
import { trendProblems, trendsOf, trendTable } from "./verdict.ts";

type SoakFlags = ChaosFlags & { readonly hours: number };

export async function runSoakCommand(flags: SoakFlags): Promise<void> {
  if (flags.brokers !== "1" || flags.flavor !== "kafka") {
    const message = "--hours runs one broker of Apache Kafka.";
    return fail({ code: "one-broker", message, fix: "Leave --brokers and --flavor out." }, exitCodes.usage);
  }
  if (flags.graphFaults !== "all") {
    const message = "--hours has faults of all kinds.";
    return fail({ code: "all-faults", message, fix: "Leave --graph-faults out." }, exitCodes.usage);
  }
  const { hours, rate: ratePerS, seed, ids } = flags;
  return runInPlace({
    name: "soak",
    options: { brokers: 1, flavor: "kafka", seed },
    flags,
    run: ({ brokers }, surroundings) => runSoak({ hours, ratePerS, seed, ids, ...surroundings }, brokers),
    tell: (done) => tell(done, flags),
  });
}

function tell(result: SoakDone, { hours, rate, seed, ids, json }: SoakFlags): void {
  const trends = trendsOf(result.minutes);
  const problems = [...result.problems, ...trendProblems(trends)];
  const struck = Object.fromEntries(
    [...Map.groupBy(result.struck, (kind) => kind)].map(([kind, some]) => [kind, some.length]),
  );
  const { counts, clockSteps, takenByRetention, minutes, elapsedMs } = result;
  const summary = { hours, rate, seed, ids, ...counts, takenByRetention, clockSteps, elapsedMs };
  for (const problem of problems) say(`${plain(problem)}\n`);
  if (json) print(JSON.stringify({ ...summary, struck, trends, minutes, problems }));
  else {
    for (const line of trendTable(trends)) print(line);
    for (const [name, value] of Object.entries({ ...summary, ...struck }))
      print(`${name.padEnd(22)}${value}`);
    if (!clockSteps)
      print("No clock was stepped: libfaketime is not installed (Debian: the package faketime).");
    if (trends.every(({ verdict }) => verdict === "unknown"))
      print("Too short a run to tell whether anything grows.");
    else
      print(
        problems.length === 0 ? "Nothing lost, nothing twice, nothing grows." : "See the problems above.",
      );
  }
  if (problems.length > 0) process.exitCode = exitCodes.failed;
}
