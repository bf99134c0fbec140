/**
 * The five ends of a record: registered, duplicate, dead letter, moved to its home partition, parked. Each settles the record only
 * after it is durable in the log; `then` runs right before, unless the partition was lost meanwhile. A parked record is
 * settled only when its copy was read again: until then the log may lose the copy without anybody's noticing.
 */
import { deadLetterRecord } from "../../domain/dead-letter.ts";
import { movedRecord, originOf } from "../../domain/origin.ts";
import { recordTimeMs } from "../../domain/record-time.ts";
import type { Refusal } from "../../domain/refusal.ts";
import { registeredRecord } from "../../domain/registered.ts";
import type { Moment } from "../../moment.ts";
import type {
  Clock,
  GraphObject,
  GraphReply,
  LogRecord,
  NewRecord,
  Observer,
  Position,
} from "../../ports.ts";
import { acknowledge, sendToPark, settleTaken } from "../intake/parking.ts";
import { settle as settleSlot } from "../intake/window.ts";
import { remember } from "../ledger/ledger.ts";
import { type Item, isOwned, mayPublish, type Work } from "../ownership/partition.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { Appender } from "./appender.ts";

export interface Outcomes {
  register(work: Work, object: GraphObject, outcome: "created" | "recovered", reply: GraphReply | null): void;
  duplicate(item: Item, idempotencyKey: string): void;
  deadLetter(item: Item, refusal: Refusal, attempts: number, reply: GraphReply | null): void;
  moveHome(item: Item, home: number, tenantId: string): void;
  /** `inDoubt`: a create of it may have been carried out, so it must be read back before the next create. */
  park(item: Item, tenantId: string, inDoubt: boolean): void;
}

const utf8 = new TextEncoder();
const neverPosted = null;

export function createOutcomes(
  ports: { clock: Clock; observe: Observer; appender: Appender },
  settings: RegistrarSettings,
  onSettled: (item: Item) => void,
): Outcomes {
  const { clock, observe, appender } = ports;
  return { register, duplicate, deadLetter, moveHome, park };

  function register(
    work: Work,
    object: GraphObject,
    outcome: "created" | "recovered",
    reply: GraphReply | null,
  ): void {
    const { partition, record, enrollment, idempotencyKey, attempts } = work;
    const answer = reply?.kind === "answer" ? reply : null;
    const registeredAt = clock.wallMs();
    const producedMs = recordTimeMs(record.timestampMs);
    // Until the ledger holds it, another owner has to look for the object.
    work.slot.tainted = true;
    work.busy = true;
    work.graphId = object.id;
    const entry = registeredRecord(partition.number, {
      enrollment,
      idempotencyKey,
      object,
      outcome,
      attempts,
      graph: { requestId: answer?.requestId ?? null, status: answer?.status ?? null, cloud: settings.cloud },
      source: originOf(record),
      enrolledAt: record.timestampMs,
      registeredAt,
    });
    publish(work, entry, work.postedAt, () => {
      remember(partition.ledger, idempotencyKey, object.id);
      partition.doubts.delete(idempotencyKey);
      observe({
        kind: "record-registered",
        at: positionOf(record),
        tenantId: enrollment.tenantId,
        idempotencyKey,
        graphId: object.id,
        outcome,
        attempts,
        ageMs: producedMs === null ? null : registeredAt - producedMs,
      });
    });
  }

  function duplicate(item: Item, idempotencyKey: string): void {
    observe({ kind: "record-duplicate", at: positionOf(item.record), idempotencyKey });
    settle(item);
  }

  function deadLetter(item: Item, refusal: Refusal, attempts: number, reply: GraphReply | null): void {
    const { partition, record } = item;
    if ("busy" in item) (item as Work).busy = true;
    const requestId = reply?.kind === "answer" ? reply.requestId : null;
    const reason = { refusal, attempts, at: originOf(record), timeMs: clock.wallMs(), requestId };
    publish(item, deadLetterRecord(partition.number, record, reason), neverPosted, () => {
      const { code, pointers } = refusal;
      observe({ kind: "record-refused", at: positionOf(record), code, pointers });
    });
  }

  function moveHome(item: Item, home: number, tenantId: string): void {
    const { record, topic } = item;
    // What was parked stays parked, with its doubt, which is believed only there.
    publish(item, movedRecord(record, topic, home, utf8.encode(tenantId)), neverPosted, () => {
      observe({ kind: "record-rehomed", at: positionOf(record), toPartition: home });
    });
  }

  function park(item: Item, tenantId: string, inDoubt: boolean): void {
    const { record, partition } = item;
    sendToPark(partition.parking, tenantId, record.offset);
    const moved = movedRecord(record, "retry", partition.number, utf8.encode(tenantId));
    const headers = moved.headers.filter(([name]) => name !== inDoubtHeader);
    if (inDoubt) headers.push([inDoubtHeader, utf8.encode("1")]);
    append(item, { ...moved, headers }, neverPosted, (retryOffset) => {
      observe({ kind: "record-parked", at: positionOf(record), tenantId });
      const isUnseen = settings.sabotage?.has("parked-unseen") ?? false;
      const isAwaited = acknowledge(partition.parking, tenantId, {
        enrolledOffset: record.offset,
        retryOffset,
        arrive: () => isUnseen || settle(item),
        sendAgain: () => park(item, tenantId, inDoubt),
      });
      if (!isAwaited || isUnseen) settle(item);
    });
  }

  function publish(item: Item, record: NewRecord, postedAt: Moment | null, then: () => void): void {
    append(item, record, postedAt, () => {
      then();
      settle(item);
    });
  }

  /** `then`: it is durable, and the partition was not lost meanwhile. */
  function append(
    item: Item,
    record: NewRecord,
    postedAt: Moment | null,
    then: (offset: number | null) => void,
  ): void {
    appender.append({
      record,
      mayPublish: () => mayPublish(item.partition, postedAt, settings.requestTimeoutMs, clock),
      done(durable, offset) {
        if (durable && isOwned(item.partition)) then(offset);
      },
    });
  }

  function settle(item: Item): void {
    if (item.topic === "enrolled") settleSlot(item.partition.window, item.slot);
    else settleTaken(item.partition.parking, item.slot);
    onSettled(item);
  }
}

export const inDoubtHeader = "in-doubt";

/** Was this record parked after a create of it may have been carried out? Only where only workers write is that believed. */
export function isInDoubt(record: LogRecord): boolean {
  return record.topic === "retry" && record.headers.some((header) => header[0] === inDoubtHeader);
}

function positionOf({ topic, partition, offset }: LogRecord): Position {
  return { topic, partition, offset };
}
