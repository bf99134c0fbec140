/**
 * What the event-log contract needs of an adapter under test, and the few helpers that its cases share. Nothing here
 * sleeps: a case waits for a promise of the log, and the time-out of its test bounds the wait.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type {
  Clock,
  EventLog,
  InputPosition,
  InputTopic,
  LogRecord,
  LogTail,
  Membership,
  NewRecord,
  Session,
  Topic,
} from "../../../src/ports.ts";

export type Log = EventLog & LogTail;

/** What an adapter can do; the contract holds it to all of the rest. */
export interface Features {
  /** Several members share the partitions. False: one member at a time, a second one is refused. */
  readonly groups: boolean;
  /** Membership expires when its member goes silent: `leaseMs` and `heldUntilMs` are finite. */
  readonly expires: boolean;
  /** Headers of different names keep their order among each other; of one name they always do. */
  readonly headerOrderAcrossNames: boolean;
  /** Time-out of each case, real time. */
  readonly timeoutMs: number;
}

/**
 * One empty log of at least two partitions, and the group of one worker. A log on virtual time moves by itself: its
 * harness advances the clock while anything waits.
 */
export interface Harness {
  readonly log: Log;
  /** The clock that `log` was opened with. */
  readonly clock: Clock;
  /** Another client of the same log and the same group, as another process would open it. */
  another(): Promise<Log>;
  /** Removes the records before an offset, as retention does; null where nothing can. */
  readonly trim: ((topic: Topic, partition: number, beforeOffset: number) => Promise<void>) | null;
  /** Closes every log that this harness opened. Memberships have been left before. */
  close(): Promise<void>;
}

export type OpenHarness = (t: TestContext) => Promise<Harness>;

/** A harness whose memberships are left when the case ends, whichever way it ends. */
export interface Bench extends Harness {
  /** Joins with a log (default: the harness's first one). */
  join(log?: Log): Promise<Member>;
}

export type DefineCase = (name: string, run: (bench: Bench, t: TestContext) => Promise<void>) => void;

export function caseDefiner(suite: string, features: Features, open: OpenHarness): DefineCase {
  return (name, run) => {
    test(`${suite}: ${name}`, { timeout: features.timeoutMs }, async (t) => {
      const harness = await open(t);
      const members: Member[] = [];
      t.after(async () => {
        for (const member of members) await member.leave();
        await harness.close();
      });
      assert.ok(harness.log.partitionCount >= 2, "the contract needs two partitions");
      const join = async (log: Log = harness.log) => {
        const member = await joinAs(log);
        members.push(member);
        return member;
      };
      await run({ ...harness, join }, t);
    });
  };
}

/** One worker's membership, with every session and failure that was reported to it. */
export interface Member {
  readonly sessions: readonly Session[];
  readonly failures: readonly string[];
  /** The newest session, once there is one that has not ended and satisfies the predicate. */
  session(accept?: (session: Session) => boolean): Promise<Session>;
  failure(): Promise<string>;
  leave(): Promise<void>;
}

async function joinAs(log: Log): Promise<Member> {
  const sessions: Session[] = [];
  const failures: string[] = [];
  const changed = new Signal();
  const membership: Membership = await log.join(
    (session) => {
      assert.ok(
        sessions.at(-1)?.ended.aborted ?? true,
        "the previous session has ended before the next begins",
      );
      assert.ok(!session.ended.aborted, "a session begins before it ends");
      sessions.push(session);
      changed.fire();
    },
    (reason) => {
      failures.push(reason);
      changed.fire();
    },
  );
  return {
    sessions,
    failures,
    leave: () => membership.leave(),
    async session(accept = () => true) {
      for (;;) {
        const newest = sessions.at(-1);
        if (newest !== undefined && !newest.ended.aborted && accept(newest)) return newest;
        assert.deepEqual(failures, []);
        await changed.next();
      }
    },
    async failure() {
      while (failures.length === 0) await changed.next();
      return failures[0]!;
    },
  };
}

/** Wakes all who wait for its next firing. */
export class Signal {
  #next = Promise.withResolvers<void>();

  next(): Promise<void> {
    return this.#next.promise;
  }

  fire(): void {
    const fired = this.#next;
    this.#next = Promise.withResolvers<void>();
    fired.resolve();
  }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | null): string | null {
  return value === null ? null : new TextDecoder().decode(value);
}

export function textsOf(records: readonly LogRecord[]): (string | null)[] {
  return records.map((record) => text(record.value));
}

export function aRecord(topic: Topic, partition: number, value: string): NewRecord {
  return { topic, partition, key: bytes("key"), value: bytes(value), headers: [] };
}

export async function append(log: Log, records: readonly NewRecord[]): Promise<void> {
  assert.deepEqual(await log.append(records), { ok: true });
}

/** A partition of a topic. */
interface Place<T extends Topic> {
  readonly topic: T;
  readonly partition: number;
}

export function at<T extends Topic>(topic: T, partition: number): Place<T> {
  return { topic, partition };
}

export function appendTexts(
  log: Log,
  { topic, partition }: Place<Topic>,
  values: readonly string[],
): Promise<void> {
  return append(
    log,
    values.map((value) => aRecord(topic, partition, value)),
  );
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** Scans to the end; checks place and order of what is handed over. */
export async function scan(log: Log, { topic, partition }: Place<Topic>, fromOffset = 0) {
  const records: LogRecord[] = [];
  const result = await log.scan(topic, partition, fromOffset, (batch) => records.push(...batch), never());
  assert.ok(result.ok, result.ok ? "" : result.reason);
  assertInPlace(records, topic, partition);
  return { records, nextOffset: result.nextOffset };
}

export function assertInPlace(records: readonly LogRecord[], topic: Topic, partition: number): void {
  let previous = -1;
  for (const record of records) {
    assert.equal(record.topic, topic);
    assert.equal(record.partition, partition);
    assert.ok(Number.isSafeInteger(record.offset) && record.offset > previous, "offsets rise");
    previous = record.offset;
  }
}

/** Reads until `count` records came; never asks for one more. */
export async function readRecords(
  session: Session,
  { topic, partition }: Place<InputTopic>,
  count: number,
): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  while (records.length < count) {
    const result = await session.read(topic, partition);
    assert.equal(result.kind, "records");
    assert.ok(
      result.kind === "records" && result.records.length > 0,
      "a read hands over at least one record",
    );
    records.push(...result.records);
  }
  assertInPlace(records, topic, partition);
  return records;
}

export async function positionOf(
  session: Session,
  topic: InputTopic,
  partition: number,
): Promise<InputPosition> {
  const result = await session.positions([partition]);
  assert.ok(result.ok, result.ok ? "" : result.reason);
  const found = result.positions.filter((p) => p.topic === topic && p.partition === partition);
  assert.equal(found.length, 1);
  return found[0]!;
}

export function never(): AbortSignal {
  return new AbortController().signal;
}

/** Whether a promise has settled by now, as far as promise jobs alone can tell. */
export function watch(promise: Promise<unknown>): { settled: boolean } {
  const state = { settled: false };
  const settle = () => {
    state.settled = true;
  };
  promise.then(settle, settle);
  return state;
}
