/** What waits on what, when a run does not come to rest. */
import { inputTopics } from "../ports.ts";
import type { WorkerSlot } from "./worker-slot.ts";
import type { World } from "./world.ts";

export function describeStuck(world: World, slots: readonly WorkerSlot[]): string[] {
  const { broker, scheduler, group } = world;
  const lines = [
    `stuck: not settled at ${scheduler.nowMs()} ms; faults stopped at ${world.plan.activeMs} ms`,
  ];
  for (let partition = 0; partition < broker.partitionCount; partition++) {
    for (const topic of inputTopics) {
      const { end } = broker.bounds(topic, partition);
      const committed = broker.committed(topic, partition)?.offset ?? "nothing";
      if (committed !== end) lines.push(`  ${topic}/${partition}: committed ${committed}, ends at ${end}`);
    }
  }
  for (const slot of slots) lines.push(`  ${slot.name()}: ${JSON.stringify(slot.status())}`);
  lines.push(`  group: ${group.memberCount()} members`);
  return [lines.join("\n")];
}
