/** The settings table for people: flags of a command, and the page docs/CONFIGURATION.md. */
import { flagName, type Group, type Setting, settingNames, table } from "./table.ts";

export interface SettingFlag {
  readonly flag: string;
  readonly help: string;
}

/** Flags of the settings in these groups, for a command line parser; secrets have none. */
export function settingFlags(groups: readonly Group[]): SettingFlag[] {
  return settings(groups)
    .filter((setting) => !setting.secret)
    .map((setting) => ({
      flag: `--${flagName(setting)} <value>`,
      help: `${setting.help}${defaultNote(setting)} [${setting.variable}]`,
    }));
}

const headings: Record<Group, string> = {
  log: "The log",
  azure: "Credentials and tenants",
  graph: "Microsoft Graph",
  worker: "The worker",
  serve: "The HTTP service",
  process: "The process",
};

/** Markdown of docs/CONFIGURATION.md, whole. */
export function settingsMarkdown(): string {
  const lines = [
    "# Settings",
    "",
    "Each setting is an environment variable; all but secrets are flags of the commands too, in lower case with",
    "dashes (`KAFKA_BROKERS` is `--kafka-brokers`). A flag wins over the environment; an empty variable counts as",
    "unset. This page is generated from `src/config/table.ts` by `connector-registrar start --settings`.",
    "",
    "Traces are set by the `OTEL_*` variables of OpenTelemetry: [OPERATING.md](OPERATING.md#traces) lists those that count.",
  ];
  for (const group of Object.keys(headings) as Group[]) {
    lines.push(
      "",
      `## ${headings[group]}`,
      "",
      "| variable | value | default | meaning |",
      "|---|---|---|---|",
    );
    for (const s of settings([group])) {
      const fallback = s.fallback === null ? "" : `\`${s.fallback === "" ? '""' : s.fallback}\``;
      lines.push(`| \`${s.variable}\` | ${s.expects} | ${fallback} | ${s.help} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function settings(groups: readonly Group[]): Setting[] {
  return settingNames
    .map((name) => table[name] as Setting)
    .filter((setting) => groups.includes(setting.group));
}

function defaultNote(setting: Setting): string {
  return setting.fallback === null || setting.fallback === "" ? "" : ` Default ${setting.fallback}.`;
}
