/** `chaos`: workers as real processes on a real broker, killed and frozen; succeeds only if nothing is lost or doubled. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { ChaosBroker, ChaosResult } from "./chaos/run.ts";
import { onInterrupt } from "./interrupts.ts";
import { positiveNumber, wholeNumber } from "./option-values.ts";
import { exitCodes, fail, plain, print, say } from "./terminal.ts";

interface Flags {
  readonly events: number;
  readonly kills: number;
  readonly freezes: number;
  readonly brokerRestarts: number;
  readonly ids: "honour" | "ignore";
  readonly seed: number;
  readonly timeout: number;
  readonly keepLogs?: true;
  readonly json?: true;
}

export function command(): Command {
  const chaos = new Command("chaos")
    .description(
      "Runs a Kafka broker, the Graph simulator and three workers as processes; kills, freezes and restarts them while " +
        "they register sample enrollments. Needs a clone of the project, and Docker or Java with Maven.",
    )
    .option("--events <n>", "distinct enrollments", positiveNumber, 200)
    .option("--kills <n>", "workers killed by SIGKILL and started again", wholeNumber, 3)
    .option(
      "--freezes <n>",
      "workers frozen past the session time-out, some past the settle time",
      wholeNumber,
      2,
    )
    .option("--broker-restarts <n>", "the broker killed by SIGKILL and started again", wholeNumber, 1)
    .addOption(
      new Option("--ids <mode>", "what Graph makes of ids that clients send")
        .choices(["honour", "ignore"])
        .default("honour"),
    )
    .option("--seed <n>", "decides about samples and about what strikes when", wholeNumber, 1)
    .option("--timeout <s>", "limit of the whole run, seconds", positiveNumber, 1200)
    .option("--keep-logs", "keep the logs of all processes, also of a run without fault")
    .option("--json", "the last line of standard output is one JSON object")
    .action(() => run(chaos.opts<Flags>()));
  return chaos;
}

async function run(flags: Flags): Promise<void> {
  const interrupts = onInterrupt("stopping");
  const found = await startBroker();
  if (!found.ok) return fail(found.problem, exitCodes.usage);
  const directory = mkdtempSync(join(tmpdir(), "connector-registrar-chaos-"));
  let keep = flags.keepLogs ?? false;
  // Progress goes where the result doesn't have to be the only thing.
  const output = flags.json ? process.stderr : process.stdout;
  try {
    const { runChaos } = await import("./chaos/run.ts");
    const result = await runChaos(
      {
        ...flags,
        timeoutMs: flags.timeout * 1000,
        directory,
        interrupted: interrupts.signal,
        say: (line) => void output.write(`${plain(line)}\n`),
      },
      found.broker,
    );
    conclude(result, flags);
    keep ||= result.kind !== "interrupted" && process.exitCode !== undefined && process.exitCode !== 0;
  } finally {
    interrupts.stopListening();
    await found.stop();
    if (keep) say(`The logs of all processes are in ${directory}.\n`);
    else rmSync(directory, { recursive: true, force: true });
  }
}

function conclude(result: ChaosResult, flags: Flags): void {
  if (result.kind === "interrupted") process.exitCode = exitCodes.interrupted;
  else if (result.kind === "failed") fail(result.problem);
  else {
    const { counts, struck, elapsedMs } = result;
    const { registered, duplicateObjects, duplicateRegistered, lost, recovered, problems } = counts;
    for (const problem of problems) say(`${plain(problem)}\n`);
    const summary = {
      events: flags.events,
      kills: struck.kill,
      freezes: struck.freeze,
      brokerRestarts: struck["broker-restart"],
      registered,
      duplicateObjects,
      duplicateRegistered,
      lost,
      recovered,
      elapsedMs,
      seed: flags.seed,
      ids: flags.ids,
      problems,
    };
    if (flags.json) print(JSON.stringify(summary));
    else printLines(summary);
    if (problems.length > 0) process.exitCode = exitCodes.failed;
  }
}

function printLines(summary: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(summary)) {
    if (name !== "problems") print(`${name.padEnd(22)}${value}`);
  }
}

type FoundBroker =
  | { readonly ok: true; readonly broker: ChaosBroker; stop(): Promise<void> }
  | { readonly ok: false; readonly problem: { code: string; message: string; fix: string } };

/** A broker of its own, since it is killed: the test support's, which a clone of the project has. */
async function startBroker(): Promise<FoundBroker> {
  const reason = (text: string): FoundBroker => ({
    ok: false,
    problem: {
      code: "no-broker",
      message: `chaos needs a Kafka broker of its own, and can't start one: ${text}.`,
      fix: "Install Docker, or Java 17 and Maven, and type it in a clone of the project.",
    },
  });
  try {
    // By URL, so that the compiled program doesn't carry the test support along.
    const support = await import(new URL("../../test/support/broker.ts", import.meta.url).href);
    const broker = await support.startOwnBroker();
    return broker.ok ? { ok: true, broker, stop: () => broker.stop() } : reason(broker.reason);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    return reason("the test support is not there");
  }
}
