/** One generation of a worker's membership over the simulated broker. */
import type { Commit, CommitResult, InputTopic, PositionsResult, ReadResult, Session } from "../ports.ts";
import { inputTopics } from "../ports.ts";
import type { Broker } from "./broker.ts";
import type { Dice } from "./dice.ts";
import type { Group } from "./group.ts";
import type { History } from "./history.ts";
import type { Link } from "./link.ts";
import type { Hold } from "./member.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

export interface LogWorld {
  readonly broker: Broker;
  readonly group: Group;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly history: History;
  readonly commitTimeoutMs: number;
  /** How long after its time-out an append may still take effect. */
  readonly lateMaxMs: number;
  /** A commit that was given up may take effect within this time of its sending. */
  readonly settleMs: number;
}

interface Cursor {
  next: number | null;
  /** Rises with each seek: a fetch under way for an older one is thrown away. */
  epoch: number;
  waiting: ((result: ReadResult) => void) | null;
  isFetching: boolean;
}

export function openSession(
  world: LogWorld,
  process: SimProcess,
  link: Link,
  hold: Hold,
  partitions: readonly number[],
): Session {
  const { broker, group, scheduler, dice } = world;
  const cursors = new Map<string, Cursor>();
  const cursor = (topic: InputTopic, partition: number): Cursor => {
    const key = `${topic}/${partition}`;
    const found = cursors.get(key) ?? { next: null, epoch: 0, waiting: null, isFetching: false };
    cursors.set(key, found);
    return found;
  };

  const pump = (topic: InputTopic, partition: number): void => {
    const reader = cursor(topic, partition);
    if (reader.waiting === null || reader.next === null || reader.isFetching) return;
    if (!link.isReachable() || reader.next === broker.bounds(topic, partition).end) return;
    const { epoch } = reader;
    reader.isFetching = true;
    scheduler.after(link.latencyMs(), () => {
      const result = fetchNext(topic, partition, reader.next!);
      process.deliver(() => {
        reader.isFetching = false;
        if (hold.ended.aborted || reader.waiting === null) return;
        if (epoch !== reader.epoch || result === null) return pump(topic, partition);
        const resolve = reader.waiting;
        reader.waiting = null;
        if (result.kind === "records") reader.next = result.records.at(-1)!.offset + 1;
        resolve(result);
      });
    });
  };

  const fetchNext = (topic: InputTopic, partition: number, from: number): ReadResult | null => {
    const { start, end } = broker.bounds(topic, partition);
    if (from < start || from > end) {
      const why = from < start ? "deleted" : "truncated";
      return { kind: "gap", why, expected: from, logStart: start, logEnd: end };
    }
    const records = broker.fetch(topic, partition, from, dice.pick([1, 2, 5, 50]));
    return records.length === 0 ? null : { kind: "records", records };
  };

  broker.onWake(() => {
    if (hold.ended.aborted || process.isDead()) return;
    for (const partition of partitions) for (const topic of inputTopics) pump(topic, partition);
  });
  hold.ended.addEventListener("abort", () => {
    for (const reader of cursors.values()) {
      reader.waiting?.({ kind: "ended" });
      reader.waiting = null;
    }
  });

  return {
    partitions,
    ended: hold.ended,
    leaseMs: hold.leaseMs,
    heldUntilMs: hold.heldUntilMs,
    positions(wanted) {
      if (hold.ended.aborted) return Promise.resolve({ ok: false, reason: "the session has ended" });
      const failed = (reason: string): PositionsResult => ({ ok: false, reason });
      return link.ask<PositionsResult>(
        "other",
        5_000,
        () => failed("time-out"),
        (answer) => {
          if (dice.chance(link.weather().positionsFail)) return answer(failed("coordinator not available"));
          const positions = wanted.flatMap((partition) =>
            inputTopics.map((topic) => {
              const { start, end } = broker.bounds(topic, partition);
              const committed = broker.committed(topic, partition);
              return { topic, partition, committed, logStart: start, logEnd: end };
            }),
          );
          answer({ ok: true, positions });
        },
      );
    },
    seek(topic, partition, offset) {
      const reader = cursor(topic, partition);
      reader.next = offset;
      reader.epoch++;
      pump(topic, partition);
    },
    read(topic, partition) {
      if (hold.ended.aborted) return Promise.resolve({ kind: "ended" });
      return new Promise((resolve) => {
        cursor(topic, partition).waiting = resolve;
        process.send("other", () => pump(topic, partition));
      });
    },
    commit(commits) {
      if (hold.ended.aborted) return Promise.resolve("superseded");
      return link.ask<CommitResult>(
        "commit",
        world.commitTimeoutMs,
        () => "unknown",
        (answer) => {
          if (!dice.chance(link.weather().commitLate)) return answer(store(commits));
          // Overtaken on the way: it takes effect after the worker has given it up.
          const latestMs = Math.max(world.commitTimeoutMs, world.settleMs - 3_000);
          scheduler.after(dice.int(world.commitTimeoutMs, latestMs), () => void store(commits));
        },
      );
    },
  };

  function store(commits: readonly Commit[]): CommitResult {
    if (!group.mayCommit(hold.memberId, hold.generation)) {
      world.history.add({ kind: "note", by: process.name, text: "commit refused: superseded" });
      return "superseded";
    }
    for (const { topic, partition, offset, metadata } of commits) {
      broker.commit(process.name, topic, partition, { offset, metadata });
    }
    return "committed";
  }
}
