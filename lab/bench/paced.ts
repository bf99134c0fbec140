/** Events that come one at a time, and how long each took from the broker's copy of it to its registered record's. */
import type { KafkaPlace, Stored } from "./kafka-place.ts";
import { connectorNameIn, type Event } from "./workload.ts";

/** Calls `emit` for each event when its turn comes; late ones are emitted immediately, to keep the pace. */
export async function paced(
  events: Iterable<Event>,
  perSecond: number,
  emit: (event: Event) => Promise<void>,
): Promise<void> {
  const startedMs = performance.now();
  const emitted: Promise<void>[] = [];
  let index = 0;
  for (const event of events) {
    const waitMs = startedMs + (index++ * 1000) / perSecond - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    emitted.push(emit(event));
  }
  await Promise.all(emitted);
}

/** Milliseconds by connector name, of the events that `isWanted`. */
export async function latencies(
  kafka: KafkaPlace,
  registered: readonly Stored[],
  isWanted: (connectorName: string) => boolean,
): Promise<Map<string, number>> {
  const enrolledAtMs = new Map<string, number>();
  for (const { value, atMs } of await kafka.readAll("enrolled"))
    enrolledAtMs.set(connectorNameIn(value), atMs);
  const found = new Map<string, number>();
  for (const { value, atMs } of registered) {
    const name = connectorNameIn(value);
    if (isWanted(name)) found.set(name, atMs - enrolledAtMs.get(name)!);
  }
  return found;
}
