/** EventLog for one simulated process over the shared broker and group. */
import { strict as assert } from "node:assert";
import type {
  AppendResult,
  EventLog,
  LogRecord,
  NewRecord,
  OnStored,
  ScanResult,
  SurveyResult,
} from "../../src/ports.ts";
import type { Client } from "./link.ts";
import { type Member, startMember } from "./member.ts";
import type { MemberSettings } from "./member-timing.ts";
import { type LogWorld, openSession } from "./session.ts";

export interface SimLog {
  readonly log: EventLog;
  /** Ends the membership for good, as a client does after an error that it can't retry. */
  failMembership(reason: string): void;
}

type Appended =
  | { readonly ok: true; readonly offsets: readonly number[] }
  /** `told`: what was stored all the same. */
  | { readonly ok: false; readonly reason: string; readonly told?: ReadonlyMap<number, number> };

export interface SimLogSettings extends MemberSettings {
  readonly publishTimeoutMs: number;
}

export function createSimLog(world: LogWorld, client: Client, settings: SimLogSettings): SimLog {
  const { broker, coordinator, scheduler, rng } = world;
  const { process, link } = client;
  let member: Member | null = null;

  const append = async (records: readonly NewRecord[], onStored?: OnStored): Promise<AppendResult> => {
    if (records.length === 0) return { ok: true };
    const failed = (reason: string) => ({ ok: false, reason }) as const;
    const store = (some: readonly NewRecord[]): number[] =>
      some.map((record) => broker.store(record, process.name).offset);
    const storeElsewhere = (): ReadonlyMap<number, number> => {
      const told = new Map<number, number>();
      for (const [index, record] of records.entries())
        if (!broker.isLeaderless(record.topic, record.partition)) told.set(index, store([record])[0]!);
      return told;
    };
    const storePart = (): void => void store(records.slice(0, rng.int(0, records.length - 1)));
    const onTimeout = (): Appended => failed("no acknowledgement within the publish time-out");
    const appended = await link.ask<Appended>(
      { kind: "append", timeoutMs: settings.publishTimeoutMs, onTimeout },
      (answer) => {
        const { appendFails, appendPartly, appendLate, unsyncedRate } = link.faultRates();
        if (world.isDenied("append")) {
          link.strike("access lost");
          if (rng.chance(0.3)) storePart();
          return answer(failed("not authorized to write"));
        }
        if (records.some(({ topic, partition }) => broker.isLeaderless(topic, partition))) {
          return answer({ ...failed("a partition has no leader"), told: storeElsewhere() });
        }
        if (rng.chance(appendFails)) {
          link.strike("append refused");
          return answer(failed("not enough replicas"));
        }
        if (rng.chance(appendPartly)) {
          link.strike("append partly");
          storePart();
          return answer(failed("leader changed in the middle"));
        }
        // It was not acknowledged: when the power fails, part of it may be there.
        if (process.isDead() && rng.chance(unsyncedRate)) return storePart();
        if (rng.chance(appendLate)) {
          link.strike("append late");
          const delayMs = settings.publishTimeoutMs + rng.int(0, world.lateMaxMs);
          scheduler.after(delayMs, () => store(records));
          return;
        }
        answer({ ok: true, offsets: store(records) });
      },
    );
    const told = appended.ok ? appended.offsets.entries() : (appended.told ?? []);
    for (const [index, offset] of told) onStored?.(index, offset);
    return appended.ok ? { ok: true } : { ok: false, reason: appended.reason };
  };

  // biome-ignore lint/complexity/useMaxParams: EventLog.scan of ports.ts
  const scan: EventLog["scan"] = async (topic, partition, fromOffset, onRecords, signal) => {
    const failed = (reason: string): ScanResult => ({ ok: false, reason });
    let next = fromOffset;
    let end: number | null = null;
    for (;;) {
      if (signal.aborted) return failed("aborted");
      const batch: { records: LogRecord[]; next: number; end: number } | null = await link.ask<{
        records: LogRecord[];
        next: number;
        end: number;
      } | null>({ kind: "other", timeoutMs: 5_000, onTimeout: () => null }, (answer) => {
        if (rng.chance(link.faultRates().scanFails) || broker.isLeaderless(topic, partition))
          return answer(null);
        if (world.isDenied("scan")) {
          link.strike("access lost");
          return answer(null);
        }
        const bounds = broker.bounds(topic, partition);
        const records = broker.fetch(topic, partition, { fromOffset: next, max: rng.pick([1, 3, 20, 500]) });
        answer({ records, next: records.at(-1)?.offset ?? bounds.end - 1, end: bounds.end });
      });
      if (signal.aborted) return failed("aborted");
      if (batch === null) return failed("fetch failed");
      if (next > batch.end) return { ok: false, reason: `the log ends before ${next}`, logEnd: batch.end };
      // A log that was cut meanwhile ends sooner than it did at first.
      end = Math.min(end ?? batch.end, batch.end);
      next = Math.max(next, batch.next + 1);
      if (batch.records.length > 0) onRecords(batch.records);
      if (next >= end) return { ok: true, nextOffset: next };
    }
  };

  const survey: EventLog["survey"] = () =>
    link.ask<SurveyResult>(
      { kind: "other", timeoutMs: 5_000, onTimeout: () => ({ ok: false, reason: "time-out" }) },
      (answer) => answer({ ok: true, topics: broker.survey() }),
    );

  return {
    log: {
      partitionCount: broker.partitionCount,
      append,
      scan,
      survey,
      async join(onSession, onFailure) {
        assert(member === null, "joined twice");
        const started = startMember({ ...client, coordinator }, settings, {
          openSession: (hold) => openSession(world, client, hold),
          onSession,
          onFailure,
          onOver: () => world.history.add({ kind: "session-over", by: process.name }),
        });
        member = started;
        // Sometimes the first session begins before this call has settled, sometimes after.
        const delayMs = rng.pick([0, 50, 2_000]);
        await new Promise<void>((resolve) => process.clock.after(delayMs, resolve));
        return { leave: started.leave };
      },
    },
    failMembership(reason) {
      process.deliver(() => member?.fail(reason));
    },
  };
}
