/** What an Event Hubs namespace asks of a connection, known before the first one. */
import { eventHubsHost } from "./event-hubs-host.ts";
import { exportLine } from "./export-line.ts";
import type { SettingProblem } from "./problem.ts";
import type { Settings } from "./table.ts";

/** The name that stands for a connection string; in double quotes a shell makes nothing of it. */
export const connectionStringUser = "$ConnectionString";

export function lintEventHubs(s: Settings): SettingProblem[] {
  const host = eventHubsHost(s.kafkaBrokers);
  if (host === null) return [];
  return [...tlsProblems(s, host), ...loginProblems(s, host)];
}

function tlsProblems({ kafkaSsl }: Settings, host: string): SettingProblem[] {
  if (kafkaSsl) return [];
  const problem = `is needed: ${host} is an Event Hubs namespace, which speaks TLS only`;
  return [{ variable: "KAFKA_SSL", given: "false", problem, fix: exportLine("KAFKA_SSL", "true") }];
}

function loginProblems(s: Settings, host: string): SettingProblem[] {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: user } = s;
  if (mechanism === "oauthbearer") return [];
  if (mechanism !== "plain") {
    return [
      {
        variable: "KAFKA_SASL_MECHANISM",
        given: mechanism === null ? "nothing" : `"${mechanism}"`,
        problem: `is not what ${host}, an Event Hubs namespace, takes: oauthbearer (a token of Entra), or plain with a connection string`,
        fix: exportLine("KAFKA_SASL_MECHANISM", "oauthbearer"),
      },
    ];
  }
  if (user === null || user === connectionStringUser) return [];
  return [
    {
      variable: "KAFKA_SASL_USERNAME",
      given: JSON.stringify(user),
      problem: `is not ${connectionStringUser}, the name under which ${host} takes a connection string as the password`,
      fix: exportLine("KAFKA_SASL_USERNAME", connectionStringUser),
    },
  ];
}
