/**
 * Finds out, at a take-over, of which enrollments a create may have been carried out.
 *
 * 1. INV-DOUBT: doubt belongs to an enrollment. So the records that a previous owner may have attempted are read for their
 *    keys before any record is looked at: a copy of one may stand elsewhere, outside the watermark, or come later.
 * 2. INV-ORDER: which tenants have records parked must be known before any new record of theirs is looked at.
 */
import { decode } from "../../domain/decode.ts";
import { identify } from "../../domain/identity.ts";
import type { EventLog, InputTopic, LogRecord, ScanResult, Session } from "../../ports.ts";
import { isInDoubt } from "../intake/in-doubt.ts";
import { noteEpoch } from "../intake/leader-epochs.ts";
import { note, parkedTenantOf } from "../intake/parking.ts";
import { isRegistered } from "../ledger/ledger.ts";
import type { Attempt, Persist } from "../persist.ts";
import type { RegistrarSettings } from "../settings.ts";
import { noteFound, noteParkedInDoubt } from "./dead-letters.ts";
import type { OwnedPartition } from "./partition.ts";
import type { InputGap } from "./take-over.ts";

export interface Suspects {
  /** Fills the partition's parking and doubts. */
  find(partition: OwnedPartition, session: Session): Promise<Found>;
  /**
   * Fills in which of them an earlier owner has dead-lettered; called once nothing of that owner's can be stored any more, but by a
   * connection that outlived its process, and again when that is over. False when the partition was lost first.
   */
  findDeadLetters(partition: OwnedPartition): Promise<boolean>;
}

/** "ended": the session was over first. A gap: since its position was read, the input has come to end before it. */
export type Found = "found" | "ended" | InputGap;

export function createSuspects(log: EventLog, settings: RegistrarSettings, persist: Persist): Suspects {
  return {
    async find(partition, session) {
      const parked = await indexParked(partition, session);
      return parked === "found" ? findSuspects(partition, session) : parked;
    },
    findDeadLetters,
  };

  async function indexParked(partition: OwnedPartition, session: Session): Promise<Found> {
    const { number, parking, suspectsBelow, readBefore, readBeforeEpoch } = partition;
    // Commits are about records that were read; other records may be at their offsets by now, after those were lost.
    let isSame = readBeforeEpoch < 0 || readBefore <= parking.nextOffset;
    const found = await persist<Found>(session.ended, "read parked records", async () => {
      const onRecords = (records: readonly LogRecord[]) => {
        for (const record of records) {
          note(parking, parkedTenantOf(record), record.offset); // INV-ORDER
          isSame ||= record.offset === readBefore - 1 && record.leaderEpoch === readBeforeEpoch; // INV-KNOWN-LOG
          noteEpoch(partition.leaderEpochs.retry, record.offset, record.leaderEpoch);
          if (record.offset < suspectsBelow.retry || isInDoubt(record)) doubtOf(partition, record); // INV-DOUBT
          if (isInDoubt(record)) noteParkedInDoubt(partition.deadLetters, record.offset); // INV-DOUBT
        }
      };
      const result = await log.scan("retry", number, parking.nextOffset, onRecords, session.ended);
      if (result.ok && !isSame) return { ok: true, value: gapAt("retry", readBefore, result.nextOffset) };
      return foundBy(result, "retry", parking.nextOffset);
    });
    return found ?? "ended";
  }

  async function findSuspects(partition: OwnedPartition, session: Session): Promise<Found> {
    const { number, window, suspectsBelow } = partition;
    let next = window.nextOffset;
    const found = await persist<Found>(session.ended, "read suspect records", async () => {
      const enough = new AbortController();
      const signal = AbortSignal.any([session.ended, enough.signal]);
      const onRecords = (records: readonly LogRecord[]) => {
        for (const record of records) {
          if (record.offset < suspectsBelow.enrolled) doubtOf(partition, record); // INV-DOUBT
          next = record.offset + 1;
        }
        if (next >= suspectsBelow.enrolled) enough.abort();
      };
      if (next >= suspectsBelow.enrolled) return { ok: true, value: "found" };
      const result = await log.scan("enrolled", number, next, onRecords, signal);
      return enough.signal.aborted ? { ok: true, value: "found" } : foundBy(result, "enrolled", next);
    });
    return found ?? "ended";
  }

  function foundBy(result: ScanResult, topic: InputTopic, expected: number): Attempt<Found> {
    if (result.ok) return { ok: true, value: "found" };
    if (result.logEnd === undefined || settings.sabotage?.has("end-in-take-over")) return result;
    // To ask again would be to wait for records that are gone.
    return { ok: true, value: gapAt(topic, expected, result.logEnd) };
  }

  async function findDeadLetters({ number, doubts, deadLetters, lost }: OwnedPartition): Promise<boolean> {
    if (doubts.size === 0 || settings.sabotage?.has("dead-letters-unread")) return true;
    const done = await persist(lost.signal, "read dead letters", async () => {
      const onRecords = (records: readonly LogRecord[]) => {
        for (const record of records) noteFound(deadLetters, record);
      };
      const result = await log.scan("dlq", number, deadLetters.inheritedFrom, onRecords, lost.signal);
      // A topic that ends before holds none of them any more: its records are memory for people, not for workers.
      const isOver = result.ok || result.logEnd !== undefined;
      return isOver ? { ok: true, value: true } : result;
    });
    return done === true;
  }

  function doubtOf(partition: OwnedPartition, record: LogRecord): void {
    // Of any tenant, also one that is not served: an earlier owner may have served it.
    const decoded = decode(record, anyTenant);
    if (!decoded.ok) return;
    const { tenantId, details } = decoded.enrollment;
    const key = identify(tenantId, details)?.idempotencyKey;
    if (key === undefined || isRegistered(partition.ledger, key)) return;
    const { settleMs, orphanMs } = partition.inherited;
    const isHonoured = partition.inherited.isHonoured && settings.sendId;
    const nextReadAtMs = partition.takenOverAtMs + settleMs;
    // By id even a create that comes later does no harm: ours is answered 409 then.
    const orphansUntilMs = nextReadAtMs + orphanMs;
    partition.doubts.set(key, {
      inherited: true,
      isHonoured,
      absentAfterMs: isHonoured ? nextReadAtMs : orphansUntilMs,
      orphansUntilMs,
      misses: 0,
      nextReadAtMs,
      byCreate: false,
    });
  }
}

function anyTenant(): boolean {
  return true;
}

function gapAt(topic: InputTopic, expected: number, logEnd: number): Found {
  return { topic, gap: { why: "truncated", expected, logStart: 0, logEnd } };
}
