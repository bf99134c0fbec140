/** One worker's membership over the memory log: the test decides when sessions begin, end and lapse. */
import type { InputTopic, ReadResult, Session } from "../../src/ports.ts";
import type { Member, MemoryLog } from "./memory-log-types.ts";

export function createMember(memory: MemoryLog, isDead: () => boolean): Member {
  const { broker } = memory;
  let onSession: (session: Session) => void = () => {};
  let onFailure: (reason: string) => void = () => {};
  let ended = new AbortController();
  let left = false;

  const member: Member = {
    first: Array.from({ length: memory.partitionCount }, (_, partition) => partition),
    leaseMs: Number.POSITIVE_INFINITY,
    holder: null,
    joinedBy: [],
    rebalance(partitions) {
      ended.abort();
      ended = new AbortController();
      memory.generation++;
      if (!isDead()) onSession(openSession(partitions, ended.signal, memory.generation));
    },
    endSession: () => ended.abort(),
    failMembership: (reason) => onFailure(reason),
    hasLeft: () => left,
    join(sessionListener, failureListener, clock) {
      onSession = sessionListener;
      onFailure = failureListener;
      clock.after(0, () => member.first !== null && member.rebalance(member.first));
      return {
        leave() {
          left = true;
          ended.abort();
          return Promise.resolve();
        },
      };
    },
  };
  return member;

  function openSession(partitions: readonly number[], signal: AbortSignal, generation: number): Session {
    const next = new Map<string, number>();
    const epochs = new Map<string, number>();
    const waiting = new Map<string, (result: ReadResult) => void>();
    const isCurrent = () => memory.generation === generation;

    const readNow = (topic: InputTopic, partition: number): ReadResult | null => {
      const from = next.get(`${topic}/${partition}`);
      if (from === undefined) return null;
      const { records, start, end } = broker.at(topic, partition);
      if (from < start || from > end) {
        const why = from < start ? "deleted" : "truncated";
        return { kind: "gap", why, expected: from, logStart: start, logEnd: end };
      }
      const before = records.findLast(({ offset }) => offset < from)?.leaderEpoch ?? -1;
      const known = epochs.get(`${topic}/${partition}`) ?? -1;
      if (known >= 0 && before >= 0 && known !== before)
        return { kind: "gap", why: "truncated", expected: from, logStart: start, logEnd: end };
      const found = records.filter(({ offset }) => offset >= from);
      const last = found.at(-1);
      if (last === undefined) return null;
      next.set(`${topic}/${partition}`, last.offset + 1);
      epochs.set(`${topic}/${partition}`, last.leaderEpoch);
      return { kind: "records", records: found };
    };
    const serve = () => {
      if (isDead() || signal.aborted) return;
      for (const [key, resolve] of [...waiting]) {
        const [topic, partition] = key.split("/");
        const result = readNow(topic as InputTopic, Number(partition));
        if (result === null) continue;
        waiting.delete(key);
        resolve(result);
      }
    };
    broker.onStored(() => void Promise.resolve().then(serve));
    signal.addEventListener("abort", () => {
      for (const resolve of waiting.values()) resolve({ kind: "ended" });
      waiting.clear();
    });

    return {
      partitions,
      ended: signal,
      heldUntilMs: () => (signal.aborted ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
      get leaseMs() {
        return member.leaseMs;
      },
      ...(member.holder === null ? {} : { holder: member.holder }),
      joinedBy: (memberId) => member.joinedBy.includes(memberId),
      async positions(wanted) {
        await broker.reach("positions");
        return signal.aborted ? { ok: false, reason: "the session has ended" } : broker.positions(wanted);
      },
      // biome-ignore lint/complexity/useMaxParams: Session.seek of ports.ts
      seek(topic, partition, offset, leaderEpoch) {
        epochs.set(`${topic}/${partition}`, leaderEpoch);
        next.set(`${topic}/${partition}`, offset);
        serve();
      },
      read(topic, partition) {
        if (signal.aborted) return Promise.resolve({ kind: "ended" });
        if (waiting.has(`${topic}/${partition}`))
          throw new Error(`two reads of ${topic}/${partition} at the same time`);
        return new Promise((resolve) => {
          waiting.set(`${topic}/${partition}`, resolve);
          serve();
        });
      },
      async commit(commits) {
        await broker.reach("commit");
        const result = broker.commit(commits, isCurrent);
        return isDead() ? new Promise(() => {}) : result;
      },
    };
  }
}
