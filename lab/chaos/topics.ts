/** Topics that Kafka compacts and cuts off within minutes, and what it says of that. */
import type { Admin } from "kafkajs";
import { topicName } from "../../src/domain/topics.ts";
import { ask } from "./admin.ts";

const topicResource = 2;
/** The least that Kafka takes. */
const segmentBytes = String(1024 * 1024);
const segmentMs = "30000";

export interface KeptMs {
  /** Of connector.enrolled and connector.enrolled.retry; longer than anything may take. */
  readonly inputs: number;
}

const roles = ["enrolled", "retry", "registered", "dlq"] as const;

/** Null once it is done, else why not. */
export async function shortenSegments(
  brokers: readonly string[],
  clientId: string,
  keptMs: KeptMs,
): Promise<string | null> {
  const done = await ask(brokers, clientId, async (admin) => {
    for (const role of roles) {
      await addConfigs(admin, role, {
        "segment.bytes": segmentBytes,
        "segment.ms": segmentMs,
        ...(role === "enrolled" || role === "retry" ? { "retention.ms": String(keptMs.inputs) } : {}),
        ...(role === "registered" ? { "min.cleanable.dirty.ratio": "0.01" } : {}),
      });
    }
    return true;
  });
  return done === null ? notTaken : null;
}

const notTaken = "the broker did not take the topics' settings";

/** Records bear the time at which the broker stored them. Null once it is done, else why not. */
export async function stampByBroker(brokers: readonly string[], clientId: string): Promise<string | null> {
  const done = await ask(brokers, clientId, async (admin) => {
    for (const role of roles) await addConfigs(admin, role, { "message.timestamp.type": "LogAppendTime" });
    return true;
  });
  return done === null ? notTaken : null;
}

async function addConfigs(
  admin: Admin,
  role: (typeof roles)[number],
  added: Readonly<Record<string, string>>,
): Promise<void> {
  const name = topicName(role, "");
  const own = await ownConfigs(admin, name);
  const configEntries = Object.entries({ ...own, ...added }).map(([key, value]) => ({ name: key, value }));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: topicResource, name, configEntries }],
  });
}

/** Of what is set for a topic, neither a broker's setting nor a default. */
const topicConfigSource = 1;

async function ownConfigs(admin: Admin, topic: string): Promise<Record<string, string>> {
  const described = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: topicResource, name: topic }],
  });
  const own = described.resources
    .flatMap(({ configEntries }) => configEntries)
    .filter(({ configSource }) => configSource === topicConfigSource);
  return Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]));
}

/** Records that retention took from the inputs; null: the broker didn't say. */
export function takenByRetention(brokers: readonly string[], clientId: string): Promise<number | null> {
  return ask(brokers, clientId, async (admin) => {
    const bounds = await Promise.all(
      ["enrolled" as const, "retry" as const].map((role) => admin.fetchTopicOffsets(topicName(role, ""))),
    );
    return bounds.flat().reduce((sum, { low }) => sum + Number(low), 0);
  });
}
