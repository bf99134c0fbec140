/** The help of a command: its own options and examples on one screen, the settings that it shares on another. */
import { type Command, CommanderError, Help, Option } from "commander";
import type { SettingFlag } from "../config/reference.ts";

/** As wide as a terminal's default, also where standard output is a file. */
const widthMax = 80;

export interface Example {
  /** What to type, from the name of the command on. */
  readonly line: string;
  readonly does: string;
}

export function addExamples(command: Command, examples: readonly Example[]): Command {
  const lines = examples.flatMap(({ line, does }) => [`  # ${does}`, `  ${line}`]);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** The flags work, but only `--help-settings` shows them. */
export function addSharedFlags(command: Command, flags: readonly SettingFlag[]): Command {
  for (const { flag, help } of flags) command.addOption(new Option(flag, help).hideHelp());
  command.option("--help-settings", "list the settings that are flags too");
  return command.on("option:help-settings", () => {
    process.stdout.write(settingsHelp(command.name(), flags));
    throw new CommanderError(0, "help-settings", "(outputHelp)");
  });
}

/** For every command of the program. */
export function fitTerminal(command: Command): Command {
  return command.configureOutput({
    getOutHelpWidth: () => Math.min(widthMax, process.stdout.columns ?? widthMax),
  });
}

function settingsHelp(name: string, flags: readonly SettingFlag[]): string {
  const help = new Help();
  const indent = " ".repeat(6);
  const lines = flags.flatMap(({ flag, help: text }) => [
    `  ${flag}`,
    indent + help.boxWrap(text, widthMax - indent.length).replaceAll("\n", `\n${indent}`),
  ]);
  return `Settings as flags of ${name}. A flag wins over its variable, the name in brackets.
Secrets have no flags. docs/CONFIGURATION.md has one table of all settings.

${lines.join("\n")}
`;
}
