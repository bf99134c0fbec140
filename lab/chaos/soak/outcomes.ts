/** Reads connector.registered and the dead letters as they come, by kafkajs's own consumer. */
import type { Consumer, EachMessagePayload } from "kafkajs";
import { topicName } from "../../../src/domain/topics.ts";
import type { Header, LogRecord, Topic } from "../../../src/ports.ts";
import { openKafka } from "../admin.ts";

const topics = (["registered", "dlq"] as const).map((role) => [topicName(role, ""), role] as const);

/** For a broker that restarts, on a machine that does much else. */
export const patientMs = 30_000;

/** Each record once, also when the consumer starts over. Resolves once it reads. */
export async function followOutcomes(
  brokers: readonly string[],
  clientId: string,
  onRecord: (record: LogRecord) => void,
): Promise<{ close(): Promise<void> }> {
  const kafka = await openKafka(brokers, clientId, patientMs);
  const consumer: Consumer = kafka.consumer({
    groupId: clientId,
    sessionTimeout: patientMs,
    rebalanceTimeout: patientMs,
    heartbeatInterval: 3_000,
    maxWaitTimeInMs: 500,
    retry: { retries: 1_000, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => true },
  });
  const roleOf = new Map<string, Topic>(topics);
  const nextOf = new Map<string, number>();
  await consumer.connect();
  await consumer.subscribe({ topics: topics.map(([name]) => name), fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 2_000,
    async eachMessage({ topic, partition, message }) {
      const place = `${topic}/${partition}`;
      const offset = Number(message.offset);
      if (offset < (nextOf.get(place) ?? 0)) return;
      nextOf.set(place, offset + 1);
      onRecord(recordOf(roleOf.get(topic)!, partition, message));
    },
  });
  return { close: () => consumer.disconnect() };
}

function recordOf(topic: Topic, partition: number, message: EachMessagePayload["message"]): LogRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]): Header => {
    const one = Array.isArray(value) ? value[0] : value;
    return [name, one === undefined ? null : Buffer.from(one)];
  });
  return {
    ...{ topic, partition, offset: Number(message.offset), timestampMs: Number(message.timestamp) },
    ...{ key: message.key, value: message.value, headers, leaderEpoch: -1 },
  };
}
