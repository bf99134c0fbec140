/** What speaks Kafka's protocol here: Apache Kafka, or a service whose limits and tools are its own. */
import type { Problem } from "../../problem.ts";

export type KafkaFlavor = "kafka" | "event-hubs";

/** How long an answer may take. Event Hubs asks for a minute: it answers late, rather than not at all, what comes too often. */
export function requestTimeoutsOf(
  flavor: KafkaFlavor,
  sessionTimeoutMs: number,
): { readonly ofRequestsMs: number; readonly ofGroupMs: number } {
  if (flavor === "event-hubs") return { ofRequestsMs: 60_000, ofGroupMs: 60_000 };
  return { ofRequestsMs: 30_000, ofGroupMs: Math.min(10_000, Math.max(1000, sessionTimeoutMs / 2)) };
}

/** A change of the partition count is refused there (Standard), or resets compaction (Premium): what is registered would be lost. */
export const noRepartition: Problem = {
  code: "repartition-not-there",
  message: "the partition count of event hubs can't be changed without losing what is registered",
  fix: 'make four with more partitions under another prefix by deploy/azure/event-hubs.bicep, copy what is in these, and set KAFKA_TOPIC_PREFIX to it (docs/OPERATING.md, "Azure Event Hubs")',
};
