/**
 * Merges flags over environment over defaults, once, and validates once: every problem is reported together,
 * each with the variable, what was given and what to type. Secrets are masked.
 */
import { Value } from "typebox/value";
import { exportLine } from "./export-line.ts";
import { lint } from "./lint.ts";
import type { SettingProblem } from "./problem.ts";
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

export function loadSettings(sources: SettingSources): LoadedSettings {
  const problems: SettingProblem[] = [];
  const warnings = findTypos(sources.environment);
  const given: Record<string, unknown> = {};
  for (const name of settingNames) {
    const setting: Setting = table[name];
    const used =
      !sources.groups || sources.groups.includes(setting.group) || (sources.also?.includes(name) ?? false);
    const text = used ? textOf(setting, sources) : null;
    given[name] = text === null ? setting.fallback : parse(setting, text);
    if (text !== null && setting.secret && given[name] !== text)
      warnings.push(`${setting.variable} has a line break at its end, which is left out`);
    if (text !== null && !Value.Check(setting.schema, given[name])) problems.push(invalid(setting, text));
    const derives = name === "allowedTenants" && textOf(table.azureTenantId, sources) !== null;
    if (text === null && sources.required?.includes(name) && !derives) problems.push(missing(setting));
  }
  if (problems.length > 0) return { ok: false, problems, warnings };
  const settings = derive(given as GivenSettings);
  const findings = lint(settings, isSetIn(sources), sources.groups);
  if (findings.problems.length > 0) return { ok: false, problems: findings.problems, warnings };
  return { ok: true, settings, warnings: [...warnings, ...findings.warnings] };
}

/** An empty variable counts as unset: compose files pass empty strings for what is not in .env. */
function textOf(setting: Setting, sources: SettingSources): string | null {
  const flag = setting.secret ? undefined : sources.flags?.[flagName(setting)];
  return flag ?? (sources.environment[setting.variable] || null);
}

function isSetIn(sources: SettingSources): (name: SettingName) => boolean {
  return (name) => textOf(table[name], sources) !== null;
}

/** The value that the schema is to judge; text that can't be one stays text, so that the schema refuses it. */
function parse(setting: Setting, text: string): unknown {
  const trimmed = text.trim();
  const type = (setting.schema as { type?: string }).type;
  if (type === "integer") return /^[+-]?\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed;
  if (type === "boolean") return trimmed === "true" ? true : trimmed === "false" ? false : trimmed;
  if (type === "array")
    return trimmed
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  return setting.secret ? secretOf(text) : trimmed;
}

/** A secret as it was meant: files that editors and `echo` write end with a line break that belongs to nothing. */
function secretOf(text: string): string {
  return text.replace(/^[\r\n]+|[\r\n]+$/g, "");
}

function derive(given: GivenSettings): Settings {
  const tenants = given.allowedTenants ?? (given.azureTenantId === null ? [] : [given.azureTenantId]);
  return {
    ...given,
    azureTenantId: given.azureTenantId?.toLowerCase() ?? null,
    allowedTenants: [...new Set(tenants.map((tenant) => tenant.toLowerCase()))],
    settleMs: given.settleMs ?? given.graphRequestTimeoutMs + given.publishTimeoutMs + 2_000,
  };
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
  return {
    variable: setting.variable,
    given: "nothing",
    problem: `is needed: ${setting.help}`,
    fix: exportLine(setting.variable, setting.example),
  };
}

function shown(setting: Setting, text: string): string {
  if (setting.secret) return `*** (${text.length} characters)`;
  // An address may carry a password although it must not.
  const masked = text.replace(/\/\/[^/@\s]*@/g, "//***@");
  return JSON.stringify(masked.length > 120 ? `${masked.slice(0, 120)}…` : masked);
}
