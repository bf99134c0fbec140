/**
 * Merges flags over environment over defaults, once, and validates once: every problem is reported together,
 * each with the variable, what was given and what to type. Secrets are masked.
 */
import { Value } from "typebox/value";
import { chooseCredential } from "./credential.ts";
import { eventHubsHost } from "./event-hubs-host.ts";
import { exportLine } from "./export-line.ts";
import { lint } from "./lint.ts";
import type { SettingProblem } from "./problem.ts";
import { fileSettingOf, readSecretFile, secretOf } from "./secret-files.ts";
import {
  flagName,
  type GivenSettings,
  type Group,
  type Setting,
  type SettingName,
  type Settings,
  settingNames,
  table,
} from "./table.ts";
import { findTypos } from "./typos.ts";

export interface SettingSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** By flag name without dashes in front (`kafka-brokers`). */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly required?: readonly SettingName[];
  /** Only these are read and checked; default all. */
  readonly groups?: readonly Group[];
  /** Settings of other groups that are read as well. */
  readonly also?: readonly SettingName[];
}

export type LoadedSettings =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | {
      readonly ok: false;
      readonly problems: readonly SettingProblem[];
      readonly warnings: readonly string[];
    };

export function loadSettings(given: SettingSources): LoadedSettings {
  return loadFrom(withKafkaCredential(given));
}

/** Where the login to Kafka shows a token of the worker's own credential, every command on that log needs it. */
function withKafkaCredential(sources: SettingSources): SettingSources {
  const { groups, required = [] } = sources;
  const has = (name: SettingName) => textOf(table[name], sources)?.trim() ?? null;
  const uses =
    (groups?.includes("log") ?? true) &&
    has("kafkaBrokers") !== null &&
    has("kafkaSaslMechanism") === "oauthbearer" &&
    has("kafkaOauthTokenEndpoint") === null &&
    (has("kafkaOauthCredential") ?? "worker") === "worker";
  if (!uses) return sources;
  const also: SettingName[] = [...(sources.also ?? []), "graphCloud", "graphCaFile"];
  const azure = groups === undefined ? {} : { groups: [...new Set<Group>([...groups, "azure"])], also };
  return { ...sources, ...azure, required: [...required, "graphCredential"] };
}

function loadFrom(sources: SettingSources): LoadedSettings {
  const problems: SettingProblem[] = [];
  const warnings = findTypos(sources.environment);
  const given: Record<string, unknown> = {};
  for (const name of settingNames) {
    const setting: Setting = table[name];
    const used =
      !sources.groups || sources.groups.includes(setting.group) || (sources.also?.includes(name) ?? false);
    const own = used ? textOf(setting, sources) : null;
    const file = used && own === null ? readFileOf(name, sources) : null;
    if (file !== null && "variable" in file) problems.push(file);
    const text = own ?? (file !== null && "text" in file ? file.text : null);
    if (own !== null) problems.push(...givenTwice(name, sources));
    given[name] = text === null ? setting.fallback : parse(setting, text);
    if (own !== null && setting.secret && given[name] !== text)
      warnings.push(`${setting.variable} has a line break at its end, which is left out`);
    if (text !== null && !Value.Check(setting.schema, given[name])) {
      const problem = invalid(setting, text);
      problems.push(own === null ? { ...problem, ...placeOf(fileSettingOf(name)!) } : problem);
    }
    const derives =
      name === "allowedTenants" &&
      (textOf(table.azureTenantId, sources) !== null || textOf(table.tenantsFile, sources) !== null);
    const isMissing = text === null && setting.fallback === null && !derives;
    if (isMissing && sources.required?.includes(name)) problems.push(missing(setting));
  }
  problems.push(...twoLists(sources));
  const credential = credentialOf(given as GivenSettings, sources);
  problems.push(...credential.problems);
  if (problems.length > 0) return { ok: false, problems, warnings };
  const settings = { ...derive(given as GivenSettings), credential: credential.choice };
  const findings = lint(settings, isSetIn(sources), sources.groups);
  if (findings.problems.length > 0) return { ok: false, problems: findings.problems, warnings };
  return { ok: true, settings, warnings: [...warnings, ...credential.warnings, ...findings.warnings] };
}

/** Values of other settings may still be what no schema takes. */
function credentialOf(given: GivenSettings, { environment, groups, required = [] }: SettingSources) {
  if (groups !== undefined && !groups.includes("azure")) return { choice: null, problems: [], warnings: [] };
  const allowedTenants = Array.isArray(given.allowedTenants) ? tenantsOf(given) : [];
  // Where a file lists the tenants, each may have its own: what is missing is said when the file is read.
  const isNeeded = required.includes("graphCredential") && given.tenantsFile === null;
  return chooseCredential({ ...given, allowedTenants }, environment, isNeeded);
}

/** What the secret's file holds, or what is wrong with it; null: no file is named, or it is not a secret. */
function readFileOf(
  name: SettingName,
  sources: SettingSources,
): { readonly text: string } | SettingProblem | null {
  const fileName = fileSettingOf(name);
  const path = fileName === null ? null : textOf(table[fileName], sources)?.trim();
  if (fileName === null || !path) return null;
  // Who may use the log need not be able to read the application's secret.
  if (table[name].group === "azure" && !sources.required?.includes("graphCredential")) return null;
  const read = readSecretFile(path);
  if (read.ok) return { text: read.text };
  const { variable, example } = table[fileName];
  return { variable, given: JSON.stringify(path), problem: read.problem, fix: exportLine(variable, example) };
}

/** Of a secret that stands in a file: what is to be corrected. */
function placeOf(fileName: SettingName): Pick<SettingProblem, "variable" | "fix"> {
  const { variable, example } = table[fileName];
  return { variable, fix: exportLine(variable, example) };
}

function givenTwice(name: SettingName, sources: SettingSources): SettingProblem[] {
  const fileName = fileSettingOf(name);
  if (fileName === null || textOf(table[fileName], sources) === null) return [];
  const [{ variable }, { variable: fileVariable }] = [table[name], table[fileName]];
  const problem = "say the same thing twice, and only one can be right";
  return [
    { variable: `${variable} and ${fileVariable}`, given: "both of them", problem, fix: `unset ${variable}` },
  ];
}

/** One list of tenants, not two: which of them is meant would be a guess. */
function twoLists(sources: SettingSources): SettingProblem[] {
  if (sources.groups !== undefined && !sources.groups.includes("azure")) return [];
  const { allowedTenants, tenantsFile } = table;
  if (textOf(allowedTenants, sources) === null || textOf(tenantsFile, sources) === null) return [];
  return [
    {
      variable: `${allowedTenants.variable} and ${tenantsFile.variable}`,
      given: "both of them",
      problem: "each say which tenants are served, and one is used",
      fix: `unset ${allowedTenants.variable}`,
    },
  ];
}

/** An empty variable counts as unset: compose files pass empty strings for what is not in .env. */
function textOf(setting: Setting, sources: SettingSources): string | null {
  const flag = setting.secret ? undefined : sources.flags?.[flagName(setting)];
  return flag ?? (sources.environment[setting.variable] || null);
}

function isSetIn(sources: SettingSources): (name: SettingName) => boolean {
  return (name) => textOf(table[name], sources) !== null;
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** The value that the schema is to judge; text that can't be one stays text, so that the schema refuses it. */
function parse(setting: Setting, text: string): unknown {
  const trimmed = text.trim();
  const type = (setting.schema as { type?: string }).type;
  if (type === "integer") return /^[+-]?\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed;
  // 1 and 0, as other programs write AZURE_CLIENT_SEND_CERTIFICATE_CHAIN.
  if (type === "boolean") return booleans.get(trimmed) ?? trimmed;
  if (type === "array")
    return trimmed
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  return setting.secret ? secretOf(text) : trimmed;
}

/** Those that the settings themselves name. */
function tenantsOf({ allowedTenants, azureTenantId, tenantsFile }: GivenSettings): string[] {
  if (tenantsFile !== null) return [];
  const tenants = allowedTenants ?? (azureTenantId === null ? [] : [azureTenantId]);
  return [...new Set(tenants.map((tenant) => tenant.toLowerCase()))];
}

function derive(given: GivenSettings): Omit<Settings, "credential"> {
  const kafkaFlavor = flavorOf(given);
  const byFlavor = flavorDefaults[kafkaFlavor];
  const publishTimeoutMs = given.publishTimeoutMs ?? byFlavor.publishTimeoutMs;
  return {
    ...given,
    kafkaFlavor,
    publishTimeoutMs,
    commitIntervalMs: given.commitIntervalMs ?? byFlavor.commitIntervalMs,
    topicsCreate: given.topicsCreate ?? byFlavor.topicsCreate,
    azureTenantId: given.azureTenantId?.toLowerCase() ?? null,
    allowedTenants: tenantsOf(given),
    settleMs: given.settleMs ?? given.graphRequestTimeoutMs + publishTimeoutMs + 2_000,
  };
}

const flavorDefaults = {
  kafka: { publishTimeoutMs: 10_000, commitIntervalMs: 100, topicsCreate: true },
  // What its guide asks for: no time-out below 20 s, better a minute; and it delays more than 4 commits a second and partition.
  "event-hubs": { publishTimeoutMs: 60_000, commitIntervalMs: 1_000, topicsCreate: false },
} as const;

function flavorOf({ kafkaBrokers, kafkaFlavor }: GivenSettings): Settings["kafkaFlavor"] {
  if (kafkaBrokers === null) return "kafka";
  if (kafkaFlavor !== "auto") return kafkaFlavor;
  return eventHubsHost(kafkaBrokers) === null ? "kafka" : "event-hubs";
}

function invalid(setting: Setting, text: string): SettingProblem {
  return {
    variable: setting.variable,
    given: shown(setting, text),
    problem: `is not ${setting.expects}`,
    fix: exportLine(setting.variable, setting.example),
  };
}

function missing(setting: Setting): SettingProblem {
  // Most have one tenant, which other settings need too; the help says that it stands for the list.
  const { variable, example } = setting === table.allowedTenants ? table.azureTenantId : setting;
  return {
    variable: setting.variable,
    given: "nothing",
    problem: `is needed: ${setting.help}`,
    fix: exportLine(variable, example),
  };
}

function shown(setting: Setting, text: string): string {
  if (setting.secret) return `*** (${text.length} characters)`;
  // An address may carry a password although it must not.
  const masked = text.replace(/\/\/[^/@\s]*@/g, "//***@");
  return JSON.stringify(masked.length > 120 ? `${masked.slice(0, 120)}…` : masked);
}
