/** A reader between sessions that answer on request and parts that note what they get, for tests of it. */
import assert from "node:assert/strict";
import { eventRecord } from "../../../lab/testkit/enrollments.ts";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualClock } from "../../../lab/testkit/virtual-clock.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { InputTopic, LogRecord, ReadResult, Session } from "../../../src/ports.ts";
import { createReader } from "../../../src/registrar/flow/reader.ts";
import { enter, type Slot } from "../../../src/registrar/intake/window.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { OwnedPartition } from "../../../src/registrar/ownership/partition.ts";
import type { RegistrarSettings } from "../../../src/registrar/settings.ts";
import { freshPartition, planFrom } from "../fresh-partition.ts";

export const rest = () => new Promise<void>((resolve) => setImmediate(resolve));

export function createSession() {
  const ended = new AbortController();
  const seeks: string[] = [];
  const open = new Map<InputTopic, (result: ReadResult) => void>();
  let reads = 0;
  const session = {
    ended: ended.signal,
    seek: (...[topic, partition, offset, epoch]: Parameters<Session["seek"]>) =>
      void seeks.push(`${topic}/${partition}@${offset} ${epoch}`),
    read(topic: InputTopic) {
      assert.ok(!open.has(topic), `a second read of ${topic}`);
      reads++;
      return new Promise<ReadResult>((resolve) => void open.set(topic, resolve));
    },
  } as unknown as Session;
  return {
    ...{ ended, seeks, session, open },
    reads: () => reads,
    async answer(topic: InputTopic, result: ReadResult) {
      const resolve = open.get(topic);
      assert.ok(resolve !== undefined, `no read of ${topic} is under way`);
      open.delete(topic);
      resolve(result);
      await rest();
    },
  };
}

/** The partition stands at 5 in the enrolled topic, at 2 in the retry topic. */
export function given(changes: Partial<RegistrarSettings> = {}) {
  const clock = virtualClock();
  const log = createSession();
  const seen: string[] = [];
  const events: RegistrarEvent[] = [];
  const slots: Slot[] = [];
  const owned = new Map<number, OwnedPartition>();
  const state = { isStopping: false, onAccept: () => {} };
  const partitionOf = (session = log.session, at = 5): OwnedPartition => {
    const plans = { enrolled: planFrom(at), retry: planFrom(2) };
    const partition = freshPartition({ plans, lease: createLease(session) });
    owned.set(0, partition);
    return partition;
  };
  const reader = createReader({
    ports: { clock, observe: (event) => void events.push(event) },
    settings: { ...settings, windowRecords: 2, ...changes },
    owned,
    intake: {
      accept(partition: OwnedPartition, { offset }: LogRecord) {
        seen.push(`enrolled ${offset}`);
        state.onAccept();
        slots.push(enter(partition.window, offset));
      },
      noteParked: (_: OwnedPartition, { offset }: LogRecord) => void seen.push(`parked ${offset}`),
    } as never,
    parker: {
      makeRoom: () => void seen.push("room"),
      checkParked: () => void seen.push("check"),
      refill: () => void seen.push("refill"),
    } as never,
    isStopping: () => state.isStopping,
    onRead: () => void seen.push("read"),
    regain: async (_, topic) => void seen.push(`regain ${topic}`),
    fault: ({ code }) => void seen.push(`fault ${code}`),
  });
  return {
    ...{ clock, log, seen, events, slots, owned, state, reader, partitionOf },
    partition: partitionOf(),
  };
}

export const records = (...offsets: readonly number[]): ReadResult => ({
  kind: "records",
  records: offsets.map((offset) => ({ ...eventRecord({}, 0), offset, timestampMs: 0, leaderEpoch: 4 })),
});
