/** What waits on what, when a run does not come to rest. */
import { inputTopics, type LogRecord } from "../../src/ports.ts";
import type { WorkerSlot } from "./worker-slot.ts";
import type { World } from "./world.ts";

export function describeStuck(world: World, slots: readonly WorkerSlot[]): string[] {
  const { broker, scheduler, group } = world;
  const lines = [
    `stuck: not settled at ${scheduler.nowMs()} ms; faults stopped at ${world.plan.activeMs} ms`,
  ];
  for (let partition = 0; partition < broker.partitionCount; partition++) {
    for (const topic of inputTopics) {
      const { start, end } = broker.bounds(topic, partition);
      const committed = broker.committed(topic, partition)?.offset;
      if (committed === end || start === end) continue;
      lines.push(`  ${topic}/${partition}: committed ${committed ?? "nothing"}, ends at ${end}`);
      const waiting = broker.fetch(topic, partition, { fromOffset: committed ?? start, max: 1 })[0];
      if (waiting !== undefined) lines.push(`    first: ${lastSeen(world, waiting)}`);
    }
  }
  for (const slot of slots) lines.push(`  ${slot.name()}: ${JSON.stringify(slot.status())}`);
  lines.push(`  group: ${group.memberCount()} members`);
  return [lines.join("\n")];
}

/** The last thing that a worker said about one record. */
function lastSeen({ history }: World, { topic, partition, offset }: LogRecord): string {
  for (const entry of history.entries.toReversed()) {
    if (entry.kind !== "worker" || !("at" in entry.event)) continue;
    const { at, kind } = entry.event;
    if (at.topic !== topic || at.partition !== partition || at.offset !== offset) continue;
    return `${topic}/${partition}@${offset}, last heard of at ${entry.tMs} ms from ${entry.by}: ${kind}`;
  }
  return `${topic}/${partition}@${offset}, of which no worker ever said anything`;
}
