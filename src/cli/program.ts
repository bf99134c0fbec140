/** A program: its commands, each a file of its own that is loaded only when it is the one that runs. */
import { Command, CommanderError } from "commander";
import { examples } from "./examples.ts";
import { addExamples, type Example, fitTerminal } from "./help.ts";
import { exitCodes, say } from "./terminal.ts";
import { isNpmScript } from "./typed.ts";
import { version } from "./version.ts";

type Loader = () => Promise<{ command(): Command }>;
type Entry = readonly [summary: string, load: Loader, examples: readonly Example[]];

export interface Program {
  /** What is typed to run it. */
  readonly name: string;
  /** What is typed between a command and its options, with a space: "-- ". */
  readonly beforeOptions: "" | "-- ";
  /** In the order of the help. */
  readonly commands: Readonly<Record<string, Entry>>;
  /** Other names of commands, which the help leaves out. */
  readonly aliases: Readonly<Record<string, string>>;
}

export const productProgram = {
  name: "connector-registrar",
  beforeOptions: "",
  aliases: {},
  commands: {
    start: [
      "the worker: enrollments in, Graph objects and registered records out",
      () => import("./start.ts"),
      examples.start,
    ],
    serve: [
      "HTTP for installers: enrollments in, and what became of each",
      () => import("./serve.ts"),
      examples.serve,
    ],
    tokens: [
      "make, list and revoke the tokens that serve accepts",
      () => import("./tokens.ts"),
      examples.tokens,
    ],
    emit: [
      "publish enrollment events from flags, a file or standard input",
      () => import("./emit.ts"),
      examples.emit,
    ],
    tail: [
      "follow connector.registered, the dead letters or the enrollments",
      () => import("./tail.ts"),
      examples.tail,
    ],
    doctor: [
      "check settings, log, credential, permission and route; says what to type",
      () => import("./doctor.ts"),
      examples.doctor,
    ],
    tenants: [
      "the tenants that are served: list, check, where to consent",
      () => import("./tenants.ts"),
      examples.tenants,
    ],
    health: ["ask a running worker whether it is ready", () => import("./health.ts"), examples.health],
    replay: ["put dead letters back into the input", () => import("./replay.ts"), examples.replay],
    reconcile: [
      "what is registered against what Graph holds",
      () => import("./reconcile.ts"),
      examples.reconcile,
    ],
    audit: [
      "what became of enrollments, as a file for auditors that can be verified",
      () => import("./audit.ts"),
      examples.audit,
    ],
    repartition: [
      "more partitions for Kafka's topics, with what is registered moved along",
      () => import("./repartition.ts"),
      examples.repartition,
    ],
  },
} as const satisfies Program;

/** Null: there is no such command. */
export async function commandOf(program: Program, name: string): Promise<Command | null> {
  const found = Object.hasOwn(program.commands, name) ? program.commands[name] : undefined;
  if (found === undefined) return null;
  const [summary, load, examplesOfIt] = found;
  const { name: typed, beforeOptions } = program;
  const command = (await load()).command().name(name).summary(summary);
  if (beforeOptions !== "") command.usage(`${beforeOptions}${command.usage()}`);
  // The command's name comes first in each.
  const lines = examplesOfIt.map(({ line, does }) => ({
    does,
    line: `${typed} ${line.replace(" ", ` ${beforeOptions}`)}`,
  }));
  return fitTerminal(addExamples(command, lines));
}

/** Returns the exit code. */
export async function runProgram(argv: readonly string[], given: Program): Promise<number> {
  const what: Program = isNpmScript(process.env)
    ? { ...given, name: "npm run", beforeOptions: "-- " }
    : given;
  const { name: typed, beforeOptions, aliases } = what;
  const program = new Command(typed)
    .description("Turns every certificate-connector enrollment into exactly one Microsoft Graph object.")
    .version(version, "-V, --version")
    .helpCommand(false)
    // `simulate` reads its own options: what follows a command is the command's.
    .enablePositionalOptions()
    .showSuggestionAfterError(true);
  // `help start` is `start --help`; `help` alone is `--help`.
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
  if (words[0] !== undefined && Object.hasOwn(aliases, words[0])) words[0] = aliases[words[0]]!;
  const asked = words[0] === undefined ? null : await commandOf(what, words[0]);
  for (const [name, [summary]] of Object.entries(what.commands)) {
    if (asked?.name() === name) program.addCommand(asked);
    else program.command(name).summary(summary).description(summary);
  }
  if (words.length === 0) words.push("--help");
  const parts = program.commands.flatMap((command) => command.commands);
  for (const each of [program, ...program.commands, ...parts])
    fitTerminal(each).exitOverride().configureOutput({ writeErr: say });
  try {
    await program.parseAsync(words, { from: "user" });
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.done;
    say(`Type: ${typed} ${asked === null ? "" : `${asked.name()} ${beforeOptions}`}--help\n`);
    return exitCodes.usage;
  }
}
