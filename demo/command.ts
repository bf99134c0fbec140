/** `demo`: the whole job on sample enrollments; succeeds only if every one of them ends exactly as it should. */

import { setFlagsFromString } from "node:v8";
import { Command, Option } from "commander";
import { onInterrupt } from "../src/cli/interrupts.ts";
import { positiveNumber, wholeNumber } from "../src/cli/option-values.ts";
import { exitCodes, fail, print, say } from "../src/cli/terminal.ts";
import { systemClock } from "../src/clock.ts";
import type { LogObserver } from "../src/observe/logs.ts";
import { writeOutFiles } from "./out-files.ts";
import { type DemoPlace, embeddedPlace, kafkaPlace, type OwnBroker } from "./place.ts";
import { demoProgress } from "./progress.ts";
import { answersText, reportLines } from "./report.ts";
import type { DemoResult } from "./run.ts";

interface DemoFlags {
  readonly events: number;
  readonly faults: "none" | "flaky" | "harsh";
  readonly seed: number;
  readonly timeout: number;
  readonly kafka?: true;
  readonly out?: string;
  readonly json?: true;
  readonly verbose?: true;
}

export function command(ownBroker: OwnBroker | null): Command {
  const demo = new Command("demo")
    .description(
      "Runs an emulated Graph, a log and the worker in one process, emits sample enrollments with duplicates and bad " +
        "records, and checks the outcome of each.",
    )
    .option(
      "--events <n>",
      "distinct enrollments; about 10 % duplicates and 5 % bad records, at least one of each kind, come on top",
      positiveNumber,
      200,
    )
    .addOption(
      new Option("--faults <profile>", "how much goes wrong in Graph")
        .choices(["none", "flaky", "harsh"])
        .default("flaky"),
    )
    .option("--seed <n>", "decides about samples and faults", wholeNumber, 1)
    .option(
      "--kafka",
      `on a real broker: KAFKA_BROKERS${ownBroker === null ? "" : ", else one started for the demo"}`,
    )
    .option("--out <dir>", "write enrolled.jsonl, registered.jsonl, dlq.jsonl and graph.json there")
    .option("--json", "the last line of standard output is one JSON object")
    .option("--timeout <s>", "limit of the whole run, seconds", positiveNumber, 300)
    .option("--verbose", "the worker's log on standard error")
    .action(() => run(demo.opts<DemoFlags>(), ownBroker));
  return demo;
}

async function run(flags: DemoFlags, ownBroker: OwnBroker | null): Promise<void> {
  // Emulator, log, worker and the counting share one process: left to grow, V8's young generation would double it.
  setFlagsFromString("--semi-space-growth-factor=1");
  const interrupts = onInterrupt("stopping");
  const place = flags.kafka ? await kafkaPlace(process.env, ownBroker) : embeddedPlace();
  if (!place.ok) return fail(place.problem, exitCodes.usage);
  try {
    await runAt(place, flags, interrupts.signal);
  } finally {
    interrupts.stopListening();
    await place.remove();
  }
}

async function runAt(place: DemoPlace, flags: DemoFlags, interrupted: AbortSignal): Promise<void> {
  const output = flags.json ? process.stderr : process.stdout;
  output.write(
    `${flags.events} sample enrollments on ${place.name}; Graph faults: ${flags.faults}, seed ${flags.seed}\n`,
  );
  const { runDemo } = await import("./run.ts");
  const logs = flags.verbose ? await verboseLogs() : null;
  const result = await runDemo({ ...flags, timeoutMs: flags.timeout * 1000 }, place, {
    interrupted,
    progress: (plan) => demoProgress(plan, output, systemClock.nowMs),
    observe: logs?.observe ?? (() => {}),
    say: (line) => say(`${line}\n`),
  });
  logs?.close();
  if (result.kind === "interrupted") process.exitCode = exitCodes.interrupted;
  else if (result.kind === "failed") fail(result.problem, result.usage ? exitCodes.usage : exitCodes.failed);
  else conclude(result, { place, flags }, output);
}

function conclude(
  result: Extract<DemoResult, { kind: "done" }>,
  { place, flags }: { readonly place: DemoPlace; readonly flags: DemoFlags },
  output: NodeJS.WritableStream,
): void {
  const { plan, outcome, verification, elapsedMs } = result;
  output.write(
    `${reportLines(plan, verification, { answers: answersText(result.requests), elapsedMs }).join("\n")}\n`,
  );
  if (verification.problems.length > 0) process.exitCode = exitCodes.failed;
  if (flags.out !== undefined) {
    try {
      writeOutFiles(flags.out, outcome);
      output.write(`Everything that was counted is in ${flags.out}.\n`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      fail(
        {
          code: "out",
          message: `--out ${flags.out} can't be written: ${code}.`,
          fix: "Type --out <a directory that you may write to>.",
        },
        exitCodes.usage,
      );
    }
  }
  if (flags.json) {
    const { faults, seed } = flags;
    print(
      JSON.stringify({
        ...verification.counts,
        elapsedMs,
        faults,
        seed,
        log: place.name,
        problems: verification.problems,
      }),
    );
  }
}

async function verboseLogs(): Promise<LogObserver> {
  const { default: pino } = await import("pino");
  const { openLogObserver } = await import("../src/observe/logs.ts");
  return openLogObserver(pino({ level: "debug" }, pino.destination({ dest: 2, sync: true })), systemClock);
}
