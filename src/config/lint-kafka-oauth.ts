/** The login to Kafka with a token: what is missing, and what contradicts something else. */
import { eventHubsHost } from "./event-hubs-host.ts";
import { exportLine } from "./export-line.ts";
import type { Findings, SettingProblem } from "./problem.ts";
import { type SettingName, type Settings, table } from "./table.ts";

/** Settings that only a token from an endpoint needs. */
const ofEndpoint = [
  "kafkaOauthClientId",
  "kafkaOauthClientSecret",
  "kafkaOauthClientSecretFile",
  "kafkaOauthCaFile",
] as const satisfies readonly SettingName[];

export const oauthSettings = [
  "kafkaOauthCredential",
  "kafkaOauthTokenEndpoint",
  ...ofEndpoint,
  "kafkaOauthScope",
  "kafkaOauthExtensions",
] as const satisfies readonly SettingName[];

const mechanism = "KAFKA_SASL_MECHANISM=oauthbearer";

/** The login shows a token of what GRAPH_CREDENTIAL says. */
function usesWorkerCredential({ kafkaOauthTokenEndpoint, kafkaOauthCredential }: Settings): boolean {
  return kafkaOauthTokenEndpoint === null && (kafkaOauthCredential ?? "worker") === "worker";
}

export function lintKafkaOauth(s: Settings): Findings {
  if (s.kafkaSaslMechanism !== "oauthbearer") return { problems: [], warnings: withoutEffect(s) };
  const problems = s.kafkaOauthTokenEndpoint === null ? entraProblems(s) : endpointProblems(s);
  return { problems: [...passwordProblems(s), ...problems], warnings: warningsOf(s) };
}

function withoutEffect(s: Settings): string[] {
  return oauthSettings
    .filter((name) => s[name] !== null)
    .map((name) => `${table[name].variable} has no effect without ${mechanism}`);
}

function passwordProblems(s: Settings): SettingProblem[] {
  return (["kafkaSaslUsername", "kafkaSaslPassword"] as const)
    .filter((name) => s[name] !== null)
    .map((name) => contradiction("KAFKA_SASL_MECHANISM", name, `${mechanism} logs in with a token`));
}

function endpointProblems(s: Settings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  if (s.kafkaOauthCredential !== null) {
    const why = "each say where the token comes from, and one is used";
    problems.push(contradiction("KAFKA_OAUTH_TOKEN_ENDPOINT", "kafkaOauthCredential", why));
  }
  for (const name of ["kafkaOauthClientId", "kafkaOauthClientSecret"] as const) {
    if (s[name] === null) problems.push(missing(name, "KAFKA_OAUTH_TOKEN_ENDPOINT is set"));
  }
  return problems;
}

function entraProblems(s: Settings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const [used] = ofEndpoint.filter((name) => s[name] !== null);
  if (used !== undefined && s.kafkaOauthCredential !== null)
    problems.push(contradiction("KAFKA_OAUTH_CREDENTIAL", used, "belong to tokens of two kinds"));
  else if (used !== undefined)
    problems.push(missing("kafkaOauthTokenEndpoint", `${table[used].variable} is set`));
  if (s.kafkaOauthScope === null && eventHubsHost(s.kafkaBrokers) === null) {
    const why =
      "a token of Entra is for one resource, and KAFKA_BROKERS names no Event Hubs namespace; or KAFKA_OAUTH_TOKEN_ENDPOINT, for one of another issuer";
    problems.push(missing("kafkaOauthScope", why));
  }
  if (usesWorkerCredential(s) && isApplication(s) && homeTenantOf(s) === null)
    problems.push(missing("azureTenantId", `${mechanism} needs the tenant of the application's token`));
  return problems;
}

function isApplication({ credential }: Settings): boolean {
  return credential !== null && credential.kind !== "managed-identity" && credential.kind !== "azure-cli";
}

/** The tenant that gives the worker's own token for Kafka; null: it can't be said. */
export function homeTenantOf(s: Pick<Settings, "azureTenantId" | "allowedTenants">): string | null {
  return s.azureTenantId ?? (s.allowedTenants.length === 1 ? s.allowedTenants[0]! : null);
}

function warningsOf(s: Settings): string[] {
  const warnings: string[] = [];
  if (!s.kafkaSsl)
    warnings.push(
      `${mechanism} without TLS: the token travels unencrypted; type: export KAFKA_SSL=true, and put the brokers' TLS port into KAFKA_BROKERS`,
    );
  if (/^http:\/\/(?!localhost[:/]|127\.|\[::1\])/.test(s.kafkaOauthTokenEndpoint ?? ""))
    warnings.push(
      "KAFKA_OAUTH_TOKEN_ENDPOINT is http:// to another machine: the client secret travels unencrypted; use https://",
    );
  return warnings;
}

function contradiction(variable: string, name: SettingName, problem: string): SettingProblem {
  const other = table[name].variable;
  return { variable: `${variable} and ${other}`, given: "both of them", problem, fix: `unset ${other}` };
}

function missing(name: SettingName, why: string): SettingProblem {
  const { variable, example } = table[name];
  return {
    variable,
    given: "nothing",
    problem: `is needed: ${why}`,
    fix: exportLine(variable, example),
  };
}
