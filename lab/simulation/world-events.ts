/** Carries out the planned events that happen to all at the same time. */
import type { Topic } from "../../src/ports.ts";
import type { WorldEvent } from "./plan-incidents.ts";
import type { WorkerSlot } from "./worker-slot.ts";
import type { World } from "./world.ts";

export function inject(world: World, slots: readonly WorkerSlot[], event: WorldEvent): void {
  const { broker, coordinator, group, history, plan, scheduler, rng } = world;
  const partition = (): number => rng.int(0, plan.partitionCount - 1);
  switch (event.kind) {
    case "power-loss":
      history.strike("power loss", "all");
      for (const slot of slots) slot.losePower();
      broker.setUp(false);
      return void scheduler.after(event.forMs, () => {
        broker.setUp(true);
        group.resume();
      });
    case "cut-off-coordinator": {
      const names = slots.filter((slot) => slot.isRunning()).map((slot) => slot.name());
      const reachedBy = names.filter(() => rng.chance(event.reach));
      return coordinator.cutOff(reachedBy, event.takeOverMs, event.forMs);
    }
    case "move-coordinator":
      return coordinator.move(event.awayMs);
    case "move-leader":
      return broker.moveLeader(event.topic, partition(), event.downMs);
    case "deny":
      return world.deny(event.access, Math.min(event.forMs, plan.activeMs - scheduler.nowMs()));
    case "compact":
      return broker.compact();
    case "recreate":
      return broker.recreate(event.topic, event.dropsCommits);
    case "lose-end":
      return loseEnd(world, event.topic, event.share);
    case "lose-parked":
      return loseParked(world, event.afterMs);
  }
}

/** Once something is appended to the retry topic: that, and what follows it until it is lost. */
function loseParked({ broker, history, plan, scheduler, isCalm }: World, afterMs: number): void {
  const ends = (): number[] =>
    Array.from({ length: plan.partitionCount }, (_, partition) => broker.bounds("retry", partition).end);
  const before = ends();
  const stopWaiting = broker.onWake(() => {
    const grown = ends().findIndex((end, partition) => end > before[partition]!);
    if (grown < 0 && !isCalm()) return;
    stopWaiting();
    if (isCalm()) return;
    scheduler.after(afterMs, () => {
      const { start, end } = broker.bounds("retry", grown);
      if (isCalm() || before[grown]! < start || before[grown]! >= end) return;
      broker.loseEnd("retry", grown, before[grown]!);
      history.strike("parked copy lost soon after it was stored", "broker");
    });
  });
}

/** Of the fullest partition, since most are nearly empty, and as soon as there is something to lose. */
function loseEnd(world: World, topic: Topic, share: number): void {
  const { broker, plan, scheduler } = world;
  let fullest = 0;
  const held = (partition: number): number => {
    const { start, end } = broker.bounds(topic, partition);
    return end - start;
  };
  for (let partition = 1; partition < plan.partitionCount; partition++)
    if (held(partition) > held(fullest)) fullest = partition;
  if (world.isCalm()) return;
  const { start, end } = broker.bounds(topic, fullest);
  const left = broker.fetch(topic, fullest, {
    fromOffset: start,
    max: Math.floor((end - start) * (1 - share)),
  });
  // What is left ends with a record, as the log did before.
  const newEnd = (left.at(-1)?.offset ?? start - 1) + 1;
  if (newEnd < end) broker.loseEnd(topic, fullest, newEnd);
  else scheduler.after(1_000, () => loseEnd(world, topic, share));
}
