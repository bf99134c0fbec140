/** Settings as flags of a command, and their loading with all problems reported together. */
import type { Command } from "commander";
import { type LoadedSettings, loadSettings } from "../config/load.ts";
import { settingFlags } from "../config/reference.ts";
import type { Group, SettingName, Settings } from "../config/table.ts";
import { addSharedFlags } from "./help.ts";
import { exitCodes, say, settingProblemsText } from "./terminal.ts";

export function addSettingFlags(command: Command, groups: readonly Group[]): Command {
  return addSharedFlags(command, settingFlags(groups));
}

/** Null: the problems were printed and the exit code set. */
export function readSettings(
  command: Command,
  groups: readonly Group[],
  {
    required = [],
    environment = process.env,
    also = [],
  }: {
    readonly required?: readonly SettingName[];
    readonly environment?: Readonly<Record<string, string | undefined>>;
    readonly also?: readonly SettingName[];
  } = {},
): Settings | null {
  const loaded: LoadedSettings = loadSettings({
    environment,
    flags: flagsOf(command),
    groups,
    required,
    // Every command can be stopped.
    also: ["shutdownTimeoutMs", ...also],
  });
  for (const warning of loaded.warnings) say(`connector-registrar: warning: ${warning}\n`);
  if (loaded.ok) return loaded.settings;
  say(settingProblemsText(loaded.problems));
  process.exitCode = exitCodes.usage;
  return null;
}

/** Commander's camelCase attributes back to flag names. */
function flagsOf(command: Command): Record<string, string | undefined> {
  const values = command.opts<Record<string, unknown>>();
  const flags: Record<string, string | undefined> = {};
  for (const option of command.options) {
    const value = values[option.attributeName()];
    if (option.long && typeof value === "string") flags[option.long.slice(2)] = value;
  }
  return flags;
}
