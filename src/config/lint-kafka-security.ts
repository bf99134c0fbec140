/** TLS and SASL of Kafka: what is missing beside something else, and files that do not hold what they are named for. */
import { readFileSync } from "node:fs";
import { eventHubsHost } from "./event-hubs-host.ts";
import { exportLine } from "./export-line.ts";
import { connectionStringUser, lintEventHubs } from "./lint-event-hubs.ts";
import { lintKafkaOauth, oauthSettings } from "./lint-kafka-oauth.ts";
import type { Findings, SettingProblem } from "./problem.ts";
import { type SettingName, type Settings, table } from "./table.ts";

/**
 * Settings without effect on the embedded log, said where they are set. Not KAFKA_MAX_PARTITION_FETCH_BYTES: the container
 * image sets it, whatever log it runs on.
 */
export const kafkaOnly = [
  "kafkaFlavor",
  "kafkaGroupId",
  "kafkaGroupInstanceId",
  "kafkaTopicPrefix",
  "kafkaClientId",
  "kafkaSessionTimeoutMs",
  "kafkaSsl",
  "kafkaCaFile",
  "kafkaClientCertFile",
  "kafkaClientKeyFile",
  "kafkaSaslMechanism",
  "kafkaSaslUsername",
  "kafkaSaslPassword",
  "kafkaSaslPasswordFile",
  ...oauthSettings,
] as const satisfies readonly SettingName[];

const files = ["kafkaCaFile", "kafkaClientCertFile", "kafkaClientKeyFile"] as const;

type FileName = (typeof files)[number];

export function lintKafkaSecurity(s: Settings): Findings {
  const oauth = lintKafkaOauth(s);
  return {
    problems: [
      ...missingForLogin(s),
      ...lintEventHubs(s),
      ...oauth.problems,
      ...missingForTls(s),
      ...(s.kafkaSsl ? badFiles(s) : []),
    ],
    warnings: [...warningsOf(s), ...oauth.warnings],
  };
}

function missingForLogin(s: Settings): SettingProblem[] {
  const { kafkaSaslMechanism: mechanism } = s;
  if (mechanism === "oauthbearer") return [];
  const login = ["kafkaSaslUsername", "kafkaSaslPassword"] as const;
  if (mechanism !== null) {
    return login
      .filter((name) => s[name] === null)
      .map((name) =>
        missing(name, {
          why: `KAFKA_SASL_MECHANISM=${mechanism} is set`,
          value: exampleOf(name, s),
          instead: "KAFKA_SASL_MECHANISM",
        }),
      );
  }
  const set = login.filter((name) => s[name] !== null).map((name) => table[name].variable);
  if (set.length === 0) return [];
  const why = `${set.join(" and ")} ${set.length === 1 ? "is" : "are"} set`;
  return [missing("kafkaSaslMechanism", { why, value: "scram-sha-512", instead: set.join(" and ") })];
}

function exampleOf(name: "kafkaSaslUsername" | "kafkaSaslPassword", s: Settings): string {
  const isEventHubs = name === "kafkaSaslUsername" && eventHubsHost(s.kafkaBrokers) !== null;
  return isEventHubs ? connectionStringUser : table[name].example;
}

function missingForTls(s: Settings): SettingProblem[] {
  const pair = ["kafkaClientCertFile", "kafkaClientKeyFile"] as const;
  const absent = pair.filter((name) => s[name] === null);
  if (absent.length !== 1) return [];
  const [name] = absent as [(typeof pair)[number]];
  const other = table[pair[name === pair[0] ? 1 : 0]].variable;
  return [missing(name, { why: `${other} is set`, value: "<path of a PEM file>", instead: other })];
}

function missing(
  name: SettingName,
  { why, value, instead }: { readonly why: string; readonly value: string; readonly instead: string },
): SettingProblem {
  const { variable } = table[name];
  return {
    variable,
    given: "nothing",
    problem: `is needed: ${why}`,
    fix: `${exportLine(variable, value)} (or: unset ${instead})`,
  };
}

function warningsOf(s: Settings): string[] {
  if (s.kafkaSsl) return [];
  const warnings = files
    .filter((name) => s[name] !== null)
    .map((name) => `${table[name].variable} has no effect without KAFKA_SSL=true`);
  if (s.kafkaSaslMechanism === "plain") {
    warnings.push(
      "KAFKA_SASL_MECHANISM=plain without TLS: the password travels unencrypted; type: export KAFKA_SSL=true, and put the brokers' TLS port into KAFKA_BROKERS",
    );
  }
  return warnings;
}

function badFiles(s: Settings): SettingProblem[] {
  return files.flatMap((name) => {
    const path = s[name];
    const problem = path === null ? null : fileProblem(name, path);
    return path === null || problem === null
      ? []
      : [{ variable: table[name].variable, given: JSON.stringify(path), ...problem }];
  });
}

/** Says nothing of what the file holds. */
function fileProblem(name: FileName, path: string): Pick<SettingProblem, "problem" | "fix"> | null {
  const { variable } = table[name];
  const isKey = name === "kafkaClientKeyFile";
  const holds = isKey ? "private key" : "certificate";
  const fix = exportLine(variable, `<path of a PEM file with a ${holds}>`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return { problem: `can't be read: ${(error as NodeJS.ErrnoException).code}`, fix };
  }
  if (isKey && /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text)) {
    return {
      problem: "is encrypted with a passphrase",
      fix: `(umask 077; openssl pkey -in '${path}' -out '${path}.plain') && export ${variable}='${path}.plain'`,
    };
  }
  const begins = isKey ? /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/ : /-----BEGIN ([A-Z0-9]+ )?CERTIFICATE-----/;
  return begins.test(text) ? null : { problem: `holds no ${holds} in PEM`, fix };
}
