/** What speaks Kafka's protocol here: Apache Kafka, or a service whose limits and tools are its own. */
export type KafkaFlavor = "kafka" | "event-hubs";

/** How long an answer may take. Event Hubs asks for a minute: it answers late, rather than not at all, what comes too often. */
export function requestTimeoutsOf(
  flavor: KafkaFlavor,
  sessionTimeoutMs: number,
): { readonly ofRequestsMs: number; readonly ofGroupMs: number } {
  if (flavor === "event-hubs") return { ofRequestsMs: 60_000, ofGroupMs: 60_000 };
  return { ofRequestsMs: 30_000, ofGroupMs: Math.min(10_000, Math.max(1000, sessionTimeoutMs / 2)) };
}
