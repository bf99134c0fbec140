/** `repartition`: more partitions for the topics, with the memory of what is registered moved along. */
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { openForRepartition } from "../compose.ts";
import type { Group, Settings } from "../config/table.ts";
import { type Ended, type Parts, repartition } from "../repartition/run.ts";
import { onInterrupt } from "./interrupts.ts";
import { positiveNumber } from "./option-values.ts";
import { confirmed } from "./reconcile/fix.ts";
import { throttledProgress } from "./repartition/progress.ts";
import { isInPlace, reportJson, reportLines } from "./repartition/report.ts";
import { addSettingFlags, readSettings } from "./setting-options.ts";
import { exitCodes, fail, plain, print, say } from "./terminal.ts";

const groups: readonly Group[] = ["log"];

interface Flags {
  readonly partitions: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

export function command(): Command {
  const command = new Command("repartition")
    .description(
      "Brings the topics to more partitions while no worker runs, and copies each registered record to its tenant's new " +
        "partition. It may be interrupted or killed at any time: typed again, it continues.",
    )
    .requiredOption("--partitions <n>", "how many; Kafka can't take partitions away", positiveNumber)
    .option("--dry-run", "show what would be done, and change nothing")
    .option("--yes", "don't ask")
    .option("--json", "one JSON object");
  addSettingFlags(command, groups).action(async () => {
    const settings = readSettings(command, groups);
    if (settings !== null) await run(settings, command.opts<Flags>());
  });
  return command;
}

async function run(settings: Settings, flags: Flags): Promise<void> {
  const { kafkaBrokers } = settings;
  if (kafkaBrokers === null) {
    const message = "The embedded log keeps the number of partitions that it was made with.";
    const fix = "For the topics of a Kafka cluster, type: export KAFKA_BROKERS=<host:port,...>";
    return fail({ code: "no-kafka", message, fix }, exitCodes.usage);
  }
  if (!flags.dryRun && !flags.yes && !process.stdin.isTTY) {
    const message = "It asks before it changes anything, and there is no terminal to ask on.";
    const fix = "Type --yes to continue without being asked, or --dry-run to see what would be done.";
    return fail({ code: "no-terminal", message, fix }, exitCodes.usage);
  }
  const opening = await openForRepartition(settings, kafkaBrokers, systemClock);
  if (!opening.ok) return fail(opening.problem, opening.retryable ? exitCodes.failed : exitCodes.usage);
  const interrupts = onInterrupt("Interrupted. Start no worker; type repartition again to continue.");
  try {
    const { log, cluster } = opening;
    const onStep = (line: string) => say(`${plain(line)}\n`);
    const onProgress = throttledProgress(systemClock, onStep);
    const parts = { log, cluster, signal: interrupts.signal, onStep, onProgress };
    const ended = await work(parts, settings, flags);
    if (interrupts.signal.aborted) process.exitCode = exitCodes.interrupted;
    else if (ended !== null) conclude(ended, settings, flags);
  } finally {
    interrupts.stopListening();
    await opening.log.close();
  }
}

/** Null: the user said no. */
async function work(parts: Parts, settings: Settings, flags: Flags): Promise<Ended | null> {
  if (flags.dryRun || flags.yes) return repartition(parts, flags.partitions, flags.dryRun ?? false);
  const planned = await repartition(parts, flags.partitions, true);
  if (!planned.ok || isInPlace(planned)) return planned;
  for (const line of reportLines(planned, settings.kafkaTopicPrefix)) say(`${line}\n`);
  if (await confirmed("Is every worker stopped, and shall this be done? Type yes: ", parts.signal))
    return repartition(parts, flags.partitions, false);
  process.exitCode = exitCodes.failed;
  return null;
}

function conclude(ended: Ended, settings: Settings, flags: Flags): void {
  if (!ended.ok) {
    const { usage, ...problem } = ended.problem;
    return fail(problem, usage ? exitCodes.usage : exitCodes.failed);
  }
  if (flags.json) print(JSON.stringify(reportJson(ended)));
  else for (const line of reportLines(ended, settings.kafkaTopicPrefix)) print(line);
}
