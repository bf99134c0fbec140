/** The settings of topics that are created. */
import type { Topic } from "../../../ports.ts";
import { type CommandTarget, isEventHubs } from "./advice.ts";
import { largerMessageBytes } from "./topic-checks.ts";

type Configs = Readonly<Record<Topic, Readonly<Record<string, string>>>>;

const ofKafka: Configs = {
  enrolled: {},
  retry: { "max.message.bytes": String(largerMessageBytes) },
  registered: { "cleanup.policy": "compact" },
  dlq: { "retention.ms": "-1", "max.message.bytes": String(largerMessageBytes) },
};

/** Event Hubs has no setting for the size of records, and Standard keeps nothing for longer than a week. */
const week = { "retention.ms": String(7 * 86_400_000) };
const ofEventHubs: Configs = {
  ...{ enrolled: week, retry: week, dlq: week },
  registered: { "cleanup.policy": "compact" },
};

export function configsFor(role: Topic, target: CommandTarget): Readonly<Record<string, string>> {
  return (isEventHubs(target) ? ofEventHubs : ofKafka)[role];
}
