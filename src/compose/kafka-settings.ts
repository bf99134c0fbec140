/** Settings in the words of the Kafka log: where it is, how to log in, how topics are made. */
import { durationMs } from "../config/kinds.ts";
import { renewedSecret } from "../config/secret-files.ts";
import type { Settings } from "../config/table.ts";
import type { SecurityResult, SecuritySettings } from "../log/kafka/cluster/security.ts";
import type { KafkaSettings } from "../log/kafka/kafka-log.ts";
import type { Observer } from "../observer.ts";
import type { Clock } from "../ports.ts";
import type { Problem } from "../problem.ts";

export async function kafkaSettings(
  s: Settings,
  brokers: readonly string[],
  { onEvent, clock }: { readonly onEvent: Observer; readonly clock: Clock },
): Promise<
  { readonly ok: true; readonly settings: KafkaSettings } | { readonly ok: false; readonly problem: Problem }
> {
  const security = await readKafkaSecurity(s, clock);
  if (!security.ok) return security;
  const settings = {
    flavor: s.kafkaFlavor,
    brokers,
    clientId: s.kafkaClientId,
    groupId: s.kafkaGroupId,
    instanceId: s.kafkaGroupInstanceId,
    topicPrefix: s.kafkaTopicPrefix,
    partitionCount: s.topicsPartitions,
    replicationFactor: s.topicsReplicationFactor ?? -1,
    createTopics: s.topicsCreate,
    sessionTimeoutMs: s.kafkaSessionTimeoutMs,
    maxPartitionFetchBytes: s.kafkaMaxPartitionFetchBytes,
    publishTimeoutMs: s.publishTimeoutMs,
    tenantBlockedMaxMs: durationMs(s.tenantBlockedMax),
    kafkajs: security.kafkajs,
    tokens: security.tokens,
    onEvent,
  };
  return { ok: true, settings };
}

/** TLS and login in kafkajs's words, for what talks to the brokers beside the log. */
export async function readKafkaSecurity(s: Settings, clock: Clock): Promise<SecurityResult> {
  const { readSecurity } = await import("../log/kafka/cluster/security.ts");
  const { kafkaCaFile: caFile, kafkaClientCertFile: clientCertFile, kafkaClientKeyFile: clientKeyFile } = s;
  return readSecurity({
    tls: s.kafkaSsl ? { caFile, clientCertFile, clientKeyFile } : null,
    sasl: await kafkaLogin(s, clock),
  });
}

async function kafkaLogin(s: Settings, clock: Clock): Promise<SecuritySettings["sasl"]> {
  const { kafkaSaslMechanism: mechanism } = s;
  if (mechanism === null) return null;
  if (mechanism === "oauthbearer") {
    const { kafkaExtensions, kafkaTokens } = await import("./kafka-tokens.ts");
    return { mechanism, tokens: kafkaTokens(s, clock), extensions: kafkaExtensions(s) };
  }
  const password = renewedSecret(s.kafkaSaslPasswordFile, s.kafkaSaslPassword ?? "");
  return {
    mechanism,
    username: s.kafkaSaslUsername ?? "",
    get password() {
      return password();
    },
  };
}
