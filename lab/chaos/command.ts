/** `chaos`: workers as real processes on real brokers, killed and frozen; succeeds only if nothing is lost or doubled. */
import { Command, Option } from "commander";
import { positiveDecimal, positiveNumber, wholeNumber } from "../../src/cli/option-values.ts";
import { exitCodes, fail, plain, print, say } from "../../src/cli/terminal.ts";
import { graphFaultChoices } from "./graph-process.ts";
import { runInPlace } from "./in-place.ts";
import { type ChaosFlags, chaosOptions } from "./options.ts";
import { summaryOf } from "./summary.ts";

export function command(): Command {
  const chaos = new Command("chaos")
    .description(
      "Runs Kafka brokers, the Graph emulator and three workers as processes; kills, freezes and restarts them while " +
        "they register sample enrollments. Needs a clone of the project, and Docker or Java with Maven (three brokers: " +
        "Java with Maven).",
    )
    .option("--events <n>", "distinct enrollments", positiveNumber, 200)
    .addOption(
      new Option("--brokers <n>", "one broker, or a cluster of three with a replica of everything on each")
        .choices(["1", "3"])
        .default("1"),
    )
    .option("--kills <n>", "workers killed by SIGKILL and started again", wholeNumber, 3)
    .option(
      "--freezes <n>",
      "workers frozen past the session time-out, some past the settle time",
      wholeNumber,
      2,
    )
    .option(
      "--broker-restarts <n>",
      "brokers killed by SIGKILL and started again; of three, the one that leads most partitions, or the group's " +
        "coordinator, which is stopped in good order now and then",
      wholeNumber,
      1,
    )
    .option(
      "--broker-freezes <n>",
      "one of three brokers frozen until the others count it as gone (default: 2 with three brokers)",
      wholeNumber,
    )
    .option(
      "--link-cuts <n>",
      "links cut in one direction, between a worker and a broker, or a broker and the others (default: 4 with three " +
        "brokers)",
      wholeNumber,
    )
    .option(
      "--unclean-election",
      "once, after the other faults, connector.enrolled loses records by an unclean leader election: the workers have " +
        "to stop; needs three brokers and at least 600 events",
    )
    .option(
      "--tenant-changes <n>",
      "changes of the workers' tenants file: tenants removed, paused and served again, and a file that is not JSON",
      wholeNumber,
    )
    .option(
      "--other-version <directory>",
      "an installed clone at another version, such as an older one: all workers run that first, and are updated one by " +
        "one to this one, and back",
    )
    .option(
      "--updates <n>",
      "with --other-version: workers updated (default: 6, three forward and three back)",
      wholeNumber,
    )
    .addOption(
      new Option("--ids <mode>", "what Graph makes of ids that clients send")
        .choices(["honour", "ignore"])
        .default("honour"),
    )
    .addOption(
      new Option(
        "--graph-faults <which>",
        "plain: those that version 0.1.0 stands; without answers such as 503 after a create that has run, and without " +
          "batches refused as a whole",
      )
        .choices(graphFaultChoices)
        .default("all"),
    )
    .addOption(
      new Option(
        "--flavor <which>",
        "event-hubs: the broker behind a proxy that behaves like Azure Event Hubs",
      )
        .choices(["kafka", "event-hubs"])
        .default("kafka"),
    )
    .option(
      "--hours <h>",
      "a soak, in place of --events and the counts of faults: a steady rate, faults of all kinds, figures each minute, " +
        "and at the end whether any grew; 0.05 is three minutes",
      positiveDecimal,
    )
    .option(
      "--rolling",
      "in place of --events and all faults: four workers under a steady load, each stopped in good order and started " +
        "again in turn, twice round, and how long any tenant stood still",
    )
    .option("--static", "with --rolling: each worker has a KAFKA_GROUP_INSTANCE_ID")
    .option(
      "--program <file>",
      "with --rolling: what the workers run, as dist/demo/main.js after `npm run build`",
    )
    .option("--rate <n>", "with --hours or --rolling: events a second", positiveNumber, 20)
    .option("--seed <n>", "decides about samples and about what strikes when", wholeNumber, 1)
    .option("--timeout <s>", "limit of the whole run, seconds", positiveNumber, 1200)
    .option("--keep-logs", "keep the logs of all processes, also of a run without fault")
    .option("--json", "the last line of standard output is one JSON object")
    .action(() => run(chaos.opts<ChaosFlags>()));
  return chaos;
}

async function run(flags: ChaosFlags): Promise<void> {
  if (flags.rolling) {
    const { runRollingCommand } = await import("./rolling/command.ts");
    return runRollingCommand(flags);
  }
  if (flags.hours !== undefined) {
    const { runSoakCommand } = await import("./soak/command.ts");
    return runSoakCommand({ ...flags, hours: flags.hours });
  }
  const read = chaosOptions(flags);
  if (!read.ok) return fail(read.problem, exitCodes.usage);
  const { options } = read;
  return runInPlace({
    name: "chaos",
    options,
    flags,
    async run({ brokers, cluster }, surroundings) {
      const { runChaos } = await import("./run.ts");
      const settings = { ...options, ids: flags.ids, timeoutMs: flags.timeout * 1000, ...surroundings };
      return runChaos(settings, brokers, cluster);
    },
    tell: (done, { proxy }) => tell(summaryOf(done, flags, proxy), flags),
  });
}

function tell(summary: ReturnType<typeof summaryOf>, { json }: ChaosFlags): void {
  for (const problem of summary.problems) say(`${plain(problem)}\n`);
  if (json) print(JSON.stringify(summary));
  else printLines(summary);
  if (summary.problems.length > 0) process.exitCode = exitCodes.failed;
}

function printLines(summary: object): void {
  for (const [name, value] of Object.entries(summary)) {
    if (name !== "problems") print(`${name.padEnd(22)}${value}`);
  }
}
