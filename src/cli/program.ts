/** The commands. Each is a file of its own, loaded only when it is the one that runs. */
import { Command, CommanderError } from "commander";
import { examples } from "./examples.ts";
import { addExamples, fitTerminal } from "./help.ts";
import { exitCodes, say } from "./terminal.ts";
import { version } from "./version.ts";

type Loader = () => Promise<{ command(): Command }>;

const commands: Readonly<Record<string, readonly [summary: string, load: Loader]>> = {
  start: ["the worker: enrollments in, Graph objects and registered records out", () => import("./start.ts")],
  demo: [
    "the whole job on one machine with sample enrollments and an emulated Graph",
    () => import("../../demo/command.ts"),
  ],
  emit: ["publish enrollment events from flags, a file or standard input", () => import("./emit.ts")],
  tail: ["follow connector.registered, the dead letters or the enrollments", () => import("./tail.ts")],
  doctor: [
    "check settings, log, credential, permission and route; says what to type",
    () => import("./doctor.ts"),
  ],
  health: ["ask a running worker whether it is ready", () => import("./health.ts")],
  replay: ["put dead letters back into the input", () => import("./replay.ts")],
  reconcile: ["what is registered against what Graph holds", () => import("./reconcile.ts")],
  repartition: [
    "more partitions for Kafka's topics, with what is registered moved along",
    () => import("./repartition.ts"),
  ],
  "simulate-graph": [
    "the Graph emulator alone, for tests and trials",
    () => import("../../emulator/command.ts"),
  ],
  simulate: [
    "seeded simulation of the worker under faults",
    () => import("../../lab/simulation/simulate.ts"),
  ],
  chaos: [
    "workers as processes on a real broker, killed and frozen at random",
    () => import("../../lab/chaos/command.ts"),
  ],
  bench: [
    "measure the worker against other programs that do the same job",
    () => import("../../lab/bench/command.ts"),
  ],
};

export const commandNames = Object.keys(commands);

/** Null: there is no such command. */
export async function commandOf(name: string): Promise<Command | null> {
  const found = commands[name];
  return found === undefined ? null : loaded(name, ...found);
}

async function loaded(name: string, summary: string, load: Loader): Promise<Command> {
  const command = (await load()).command().name(name).summary(summary);
  return fitTerminal(addExamples(command, examples[name] ?? []));
}

export async function runProgram(argv: readonly string[]): Promise<number> {
  const program = new Command("connector-registrar")
    .description("Turns every certificate-connector enrollment into exactly one Microsoft Graph object.")
    .version(version, "-V, --version")
    .helpCommand(false)
    // `simulate` reads its own options: what follows a command is the command's.
    .enablePositionalOptions()
    .showSuggestionAfterError(true);
  // `help start` is `start --help`; `help` alone is `--help`.
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
  for (const [name, [summary, load]] of Object.entries(commands)) {
    if (words[0] === name) program.addCommand(await loaded(name, summary, load));
    else program.command(name).summary(summary).description(summary);
  }
  if (words.length === 0) words.push("--help");
  for (const each of [program, ...program.commands])
    fitTerminal(each).exitOverride().configureOutput({ writeErr: say });
  try {
    await program.parseAsync(words, { from: "user" });
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.done;
    const known = words[0] !== undefined && words[0] in commands;
    say(`Type: connector-registrar ${known ? `${words[0]} ` : ""}--help\n`);
    return exitCodes.usage;
  }
}
