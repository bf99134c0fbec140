/** The names that topics have outside: a topic's role in the code, its name in Kafka and in records. */
import type { Topic } from "../ports.ts";

const names: Readonly<Record<Topic, string>> = {
  enrolled: "connector.enrolled",
  retry: "connector.enrolled.retry",
  registered: "connector.registered",
  dlq: "connector.enrolled.dlq",
};
export const topics = Object.keys(names) as readonly Topic[];

/** `prefix` goes before the name as it is; "" for none. */
export function topicName(topic: Topic, prefix: string): string {
  return prefix + names[topic];
}

/** The topic of an unprefixed name; null if there is none. */
export function topicNamed(name: string): Topic | null {
  return topics.find((topic) => names[topic] === name) ?? null;
}
