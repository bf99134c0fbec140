/**
 * Which credential the worker shows to Entra: as GRAPH_CREDENTIAL says, or by what is set. Pure.
 *
 * 1. Settings for two credentials contradict each other. This is not resolved by guessing; GRAPH_CREDENTIAL resolves it.
 * 2. What a platform sets by itself (IDENTITY_ENDPOINT) counts only where nothing else is set.
 * 3. The Azure CLI is never guessed: it is the user who is logged in.
 */
import { exportLine } from "./export-line.ts";
import type { Findings, SettingProblem } from "./problem.ts";
import {
  type CredentialChoice,
  type CredentialKind,
  type GivenSettings,
  type SettingName,
  table,
} from "./table.ts";

export interface CredentialFindings extends Findings {
  /** Null: there is none, or which one can't be said. */
  readonly choice: CredentialChoice | null;
}

type Given = Omit<GivenSettings, "allowedTenants"> & { readonly allowedTenants: readonly string[] };
type Environment = Readonly<Record<string, string | undefined>>;

/** What stands for a kind. Managed identities share one setting: the client id of the app tells them apart. */
const signs = {
  "client-secret": ["azureClientSecret", "azureClientSecretFile"],
  "client-certificate": ["azureClientCertificatePath"],
  "workload-identity": ["azureFederatedTokenFile"],
  "managed-identity-federated": ["azureManagedIdentityClientId"],
} as const satisfies Partial<Record<CredentialKind, readonly SettingName[]>>;
type Sign = (typeof signs)[keyof typeof signs][number];
const signOf = Object.entries(signs) as [keyof typeof signs, readonly Sign[]][];

/** `needed`: without any credential the command can't do its work. */
export function chooseCredential(s: Given, environment: Environment, needed: boolean): CredentialFindings {
  const set = signOf.flatMap(([kind, names]) => {
    const found = names.find((name) => s[name] !== null);
    return found === undefined ? [] : [{ kind, variable: variableOf(found, environment) }];
  });
  const take = (kind: CredentialKind, why: string): CredentialFindings => {
    const problems = problemsOf(s, kind);
    const choice = problems.length > 0 ? null : { kind, why };
    return { choice, problems: needed ? problems : [], warnings: unused(s, kind, set) };
  };
  if (s.graphCredential !== "auto") return take(s.graphCredential, "GRAPH_CREDENTIAL says so");
  if (set.length > 1) return { choice: null, problems: [contradiction(set)], warnings: [] }; // 1
  const [only] = set;
  if (only !== undefined) {
    const isIdentity = only.kind === "managed-identity-federated";
    const kind = isIdentity && isOwnIdentity(s) ? "managed-identity" : only.kind;
    return take(kind, `${only.variable} is set`);
  }
  if (environment.IDENTITY_ENDPOINT && environment.IDENTITY_HEADER)
    return take("managed-identity", "IDENTITY_ENDPOINT is set, and nothing for another credential"); // 2
  const problems = needed ? [noneAtAll(), ...missingClientId(s)] : [];
  return { choice: null, problems, warnings: unused(s, null, set) };
}

/** No app, or the identity itself: then its own tokens go to Graph. */
function isOwnIdentity({ azureClientId, azureManagedIdentityClientId }: Given): boolean {
  return (
    azureClientId === null || azureClientId.toLowerCase() === azureManagedIdentityClientId?.toLowerCase()
  );
}

interface SetSign {
  readonly kind: CredentialKind;
  readonly variable: string;
}

function problemsOf(s: Given, kind: CredentialKind): SettingProblem[] {
  const needs = kind in signs ? signs[kind as keyof typeof signs] : [];
  const problems: SettingProblem[] = [];
  if (needs.length > 0 && needs.every((name) => s[name] === null)) problems.push(lacks(kind, needs[0]!));
  if (kind !== "managed-identity" && kind !== "azure-cli") problems.push(...missingClientId(s));
  if (kind === "managed-identity" && s.allowedTenants.length > 1) problems.push(homeTenantOnly(s));
  return problems;
}

function unused(s: Given, chosen: CredentialKind | null, set: readonly SetSign[]): string[] {
  const identities: readonly (CredentialKind | null)[] = ["managed-identity", "managed-identity-federated"];
  const others = set.filter(
    ({ kind }) => kind !== chosen && !(identities.includes(kind) && identities.includes(chosen)),
  );
  const warnings = others.map(({ variable }) => `${variable} has no effect: the credential is ${chosen}`);
  if (chosen === "client-certificate") return warnings;
  const details = ["azureClientCertificatePassword", "azureClientCertificatePasswordFile"] as const;
  const names = details.filter((name) => s[name] !== null).map((name) => table[name].variable);
  if (s.azureClientSendCertificateChain) names.push(table.azureClientSendCertificateChain.variable);
  return [...warnings, ...names.map((name) => `${name} has no effect without AZURE_CLIENT_CERTIFICATE_PATH`)];
}

/** Of a secret, whichever of the two holds it. */
function variableOf(name: Sign, environment: Environment): string {
  if (name === "azureClientSecret" && !environment.AZURE_CLIENT_SECRET) return "AZURE_CLIENT_SECRET_FILE";
  return table[name].variable;
}

function contradiction(set: readonly SetSign[]): SettingProblem {
  const names = set.map(({ variable }) => variable);
  const [first, second] = set as [SetSign, SetSign];
  const all = names.length === 2 ? "both" : "all";
  return {
    variable: names.join(" and "),
    given: `${all} of them`,
    problem: `each name a credential (${set.map(({ kind }) => kind).join(", ")}), and one is used`,
    fix: `unset ${second.variable}   # or say which: export GRAPH_CREDENTIAL=${first.kind}`,
  };
}

function noneAtAll(): SettingProblem {
  const { variable, example } = table.azureClientSecret;
  return {
    variable,
    given: "nothing",
    problem:
      "is needed, or another credential: AZURE_CLIENT_SECRET_FILE, AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE, " +
      "AZURE_MANAGED_IDENTITY_CLIENT_ID, or GRAPH_CREDENTIAL=managed-identity or azure-cli",
    fix: exportLine(variable, example),
  };
}

function missingClientId(s: Given): SettingProblem[] {
  if (s.azureClientId !== null) return [];
  const { variable, example, help } = table.azureClientId;
  return [{ variable, given: "nothing", problem: `is needed: ${help}`, fix: exportLine(variable, example) }];
}

function lacks(kind: CredentialKind, name: Sign): SettingProblem {
  const { variable, example } = table[name];
  return {
    variable,
    given: "nothing",
    problem: `is needed, since GRAPH_CREDENTIAL=${kind}`,
    fix: exportLine(variable, example),
  };
}

function homeTenantOnly({ allowedTenants }: Given): SettingProblem {
  return {
    variable: "ALLOWED_TENANTS",
    given: `${allowedTenants.length} tenants`,
    problem:
      "are more than a managed identity has tokens for: it serves its home tenant only. With an app registration that trusts " +
      "the identity, set AZURE_CLIENT_ID to the app and AZURE_MANAGED_IDENTITY_CLIENT_ID to the identity",
    fix: "export GRAPH_CREDENTIAL=managed-identity-federated",
  };
}
