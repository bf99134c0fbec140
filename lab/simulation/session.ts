/** One generation of a worker's membership over the simulated broker. */
import type { CommitResult, InputTopic, PositionsResult, ReadResult, Session } from "../../src/ports.ts";
import { inputTopics } from "../../src/ports.ts";
import type { Broker } from "./broker.ts";
import type { SimContext } from "./context.ts";
import type { Coordinator, Stored } from "./coordinator.ts";
import type { Client } from "./link.ts";
import type { Hold } from "./member.ts";

/** What a client may do to a topic; taken away for a while, it is refused. */
export type Access = "append" | "scan" | "read" | "commit" | "positions";

export interface LogWorld extends SimContext {
  readonly broker: Broker;
  readonly coordinator: Coordinator;
  readonly commitTimeoutMs: number;
  /** How long after its time-out an append may still take effect. */
  readonly lateMaxMs: number;
  /** A commit that was given up may take effect within this time of its sending. */
  readonly settleMs: number;
  isDenied(access: Access): boolean;
}

interface Cursor {
  next: number | null;
  /** Leader epoch of the record before `next`; -1: not known. */
  leaderEpoch: number;
  /** The topic that it reads: another one may come to stand under the name. */
  topicId: string;
  /** Rises with each seek: a fetch under way for an older one is thrown away. */
  seeks: number;
  waiting: ((result: ReadResult) => void) | null;
  isFetching: boolean;
}

export function openSession(world: LogWorld, { process, link }: Client, hold: Hold): Session {
  const { broker, coordinator, scheduler, rng } = world;
  const { partitions } = hold;
  const cursors = new Map<string, Cursor>();
  for (const topic of inputTopics) {
    for (const partition of partitions) {
      cursors.set(`${topic}/${partition}`, {
        next: null,
        leaderEpoch: -1,
        topicId: broker.topicId(topic),
        seeks: 0,
        waiting: null,
        isFetching: false,
      });
    }
  }
  const cursor = (topic: InputTopic, partition: number): Cursor => cursors.get(`${topic}/${partition}`)!;
  const isDenied = (access: Access): boolean => {
    if (!world.isDenied(access)) return false;
    link.strike("access lost");
    return true;
  };

  const isIdle = (topic: InputTopic, partition: number, { next, leaderEpoch, topicId }: Cursor): boolean =>
    topicId === broker.topicId(topic) &&
    next === broker.bounds(topic, partition).end &&
    !broker.isDiverged(topic, partition, { offset: next, leaderEpoch });

  const pump = (topic: InputTopic, partition: number): void => {
    const reader = cursor(topic, partition);
    if (reader.waiting === null || reader.next === null || reader.isFetching) return;
    if (!link.isReachable() || broker.isLeaderless(topic, partition)) return;
    if (isIdle(topic, partition, reader) || isDenied("read")) return;
    const { seeks } = reader;
    reader.isFetching = true;
    scheduler.after(link.latencyMs(), () => {
      const result = fetchNext(topic, partition, reader);
      process.deliver(() => {
        reader.isFetching = false;
        if (hold.ended.aborted || reader.waiting === null) return;
        if (seeks !== reader.seeks || result === null) return pump(topic, partition);
        const resolve = reader.waiting;
        reader.waiting = null;
        if (result.kind === "records") {
          const last = result.records.at(-1)!;
          reader.next = last.offset + 1;
          reader.leaderEpoch = last.leaderEpoch;
        }
        resolve(result);
      });
    });
  };

  const fetchNext = (topic: InputTopic, partition: number, reader: Cursor): ReadResult | null => {
    const from = reader.next!;
    const { start, end } = broker.bounds(topic, partition);
    const gap = (why: "deleted" | "truncated" | "recreated"): ReadResult => {
      return { kind: "gap", why, expected: from, logStart: start, logEnd: end };
    };
    if (reader.topicId !== broker.topicId(topic)) return gap("recreated");
    if (from < start) return gap("deleted");
    const position = { offset: from, leaderEpoch: reader.leaderEpoch };
    if (from > end || broker.isDiverged(topic, partition, position)) return gap("truncated");
    const records = broker.fetch(topic, partition, { fromOffset: from, max: rng.pick([1, 2, 5, 50]) });
    return records.length === 0 ? null : { kind: "records", records };
  };

  const stopWaking = broker.onWake(() => {
    if (process.isDead()) return stopWaking();
    for (const partition of partitions) for (const topic of inputTopics) pump(topic, partition);
  });
  hold.ended.addEventListener("abort", () => {
    stopWaking();
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
    ...(hold.holder === null ? {} : { holder: hold.holder }),
    joinedBy: hold.joinedBy,
    positions(wanted) {
      if (hold.ended.aborted) return Promise.resolve({ ok: false, reason: "the session has ended" });
      const failed = (reason: string): PositionsResult => ({ ok: false, reason });
      return link.ask<PositionsResult>(
        { kind: "other", timeoutMs: 5_000, onTimeout: () => failed("time-out") },
        (answer) => {
          if (isDenied("positions")) return answer(failed("not authorized"));
          const commits = coordinator.committed(hold.memberId);
          if (commits === null || rng.chance(link.faultRates().positionsFail))
            return answer(failed("coordinator not available"));
          const positions = wanted.flatMap((partition) =>
            inputTopics.map((topic) => {
              const { start, end } = broker.bounds(topic, partition);
              const committed = commits.get(`${topic}/${partition}`) ?? null;
              return { topic, partition, committed, logStart: start, logEnd: end };
            }),
          );
          answer({ ok: true, positions });
        },
      );
    },
    // biome-ignore lint/complexity/useMaxParams: Session.seek of ports.ts
    seek(topic, partition, offset, leaderEpoch) {
      const reader = cursor(topic, partition);
      reader.next = offset;
      reader.leaderEpoch = leaderEpoch;
      // A worker that seeks after it learned that the topic was made again means the present one.
      if (reader.seeks > 0) reader.topicId = broker.topicId(topic);
      reader.seeks++;
      pump(topic, partition);
    },
    read(topic, partition) {
      if (hold.ended.aborted) return Promise.resolve({ kind: "ended" });
      return new Promise((resolve) => {
        cursor(topic, partition).waiting = resolve;
        process.send("other", () => pump(topic, partition));
      });
    },
    async commit(commits) {
      if (hold.ended.aborted) return "superseded";
      const stored = await link.ask<Stored | null>(
        { kind: "commit", timeoutMs: world.commitTimeoutMs, onTimeout: () => null },
        (answer) => {
          if (isDenied("commit")) return answer(null);
          const store = (): Stored | null => coordinator.commit(hold.memberId, hold.generation, commits);
          if (!rng.chance(link.faultRates().commitLate)) {
            const result = store();
            return result === null ? undefined : answer(result);
          }
          // Overtaken on the way: it takes effect after the worker has given it up.
          link.strike("commit late");
          const latestMs = Math.max(world.commitTimeoutMs, world.settleMs - 3_000);
          scheduler.after(rng.int(world.commitTimeoutMs, latestMs), () => void store());
        },
      );
      if (stored === null) return "unknown" satisfies CommitResult;
      if (stored.result === "committed") hold.committedAt(stored.term);
      return stored.result;
    },
  };
}
