/**
 * Carries outcomes to the log: registered, dead letter, moved to its home partition, parked. An outcome is reported only
 * when it is durable; `then` runs right before, unless the partition was lost meanwhile. A parked record has arrived only when
 * its copy was read again: until then the log may lose the copy unnoticed.
 */
import { deadLetterRecord } from "../../domain/dead-letter.ts";
import { movedRecord, originOf } from "../../domain/origin.ts";
import { recordTimeMs } from "../../domain/record-time.ts";
import type { Refusal } from "../../domain/refusal.ts";
import { registeredRecord } from "../../domain/registered.ts";
import { traceparentHeader } from "../../domain/traceparent.ts";
import type { GraphReply } from "../../graph-port.ts";
import type { Position } from "../../observer.ts";
import type { LogRecord, NewRecord, Topic } from "../../ports.ts";
import type { TracedOutcome } from "../../trace-port.ts";
import { parkedRecord } from "../intake/in-doubt.ts";
import { acknowledge, sendToPark } from "../intake/parking.ts";
import { remember } from "../ledger/ledger.ts";
import { noteOwn, noteSent, noteStored } from "../ownership/dead-letters.ts";
import type { UnsettledRecord, Work } from "../ownership/partition.ts";
import type { Appender } from "./appender.ts";
import type { Core } from "./core.ts";
import type { Registering } from "./life-events.ts";
import { createPublisher } from "./publisher.ts";

export interface Outcomes {
  register(work: Work, shown: Registering): void;
  deadLetter(unsettled: UnsettledRecord, refusal: Refusal, reply: GraphReply | null): void;
  moveHome(unsettled: UnsettledRecord, home: number, tenantId: string): void;
  park(work: Work): void;
}

const utf8 = new TextEncoder();
const neverPosted = null;
const arrived = { kind: "arrived" } as const;
const copyLost = { kind: "copy-lost" } as const;

export function createOutcomes(
  { ports, settings, raise }: Pick<Core, "ports" | "settings" | "raise">,
  appender: Appender,
): Outcomes {
  const { clock, observe, traces } = ports;
  const { append, publish } = createPublisher({ clock, settings, raise }, appender);
  return { register, deadLetter, moveHome, park };

  function register(work: Work, { object, shownBy, reply }: Registering): void {
    const { partition, record, enrollment, idempotencyKey } = work;
    const { attempts, postedAt } = work.stage;
    const answer = reply?.kind === "answer" ? reply : null;
    const registeredAt = clock.wallMs();
    const producedMs = recordTimeMs(record.timestampMs);
    const outcome = shownBy === "created" ? "created" : "recovered";
    const traceparent = traces?.sending(record, sentTo("registered", partition.number));
    const entry = registeredRecord(partition.number, {
      traceparent,
      enrollment,
      idempotencyKey,
      object,
      outcome,
      attempts,
      graph: {
        requestId: answer?.requestId ?? null,
        status: answer?.status ?? null,
        cloud: settings.tenants.cloudOf(enrollment.tenantId),
      },
      source: originOf(record),
      enrolledAt: record.timestampMs,
      registeredAt,
    });
    publish(work, { record: entry, postedAt }, () => {
      traces?.sent(record);
      remember(partition.ledger, idempotencyKey, object.id); // INV-ONE-CREATE-PER-KEY
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

  function deadLetter(unsettled: UnsettledRecord, refusal: Refusal, reply: GraphReply | null): void {
    const { partition, record } = unsettled;
    const { attempts } = unsettled.stage;
    const requestId = reply?.kind === "answer" ? reply.requestId : null;
    const reason = { refusal, attempts, at: originOf(record), timeMs: clock.wallMs(), requestId };
    const dead = deadLetterRecord(partition.number, record, reason);
    traces?.sending(record, { to: "dlq", partition: partition.number, refusal: refusal.code });
    noteSent(partition.deadLetters, unsettled.topic, record.offset);
    // Its original, too, may be read again, as long as no commit covers that: the same dead letter is its outcome.
    const { topic, partition: number, offset: place } = reason.at;
    if (unsettled.topic === "retry" && topic === "enrolled" && number === partition.number)
      noteSent(partition.deadLetters, topic, place);
    publish(unsettled, { record: dead, postedAt: neverPosted }, (offset) => {
      traces?.sent(record);
      noteStored(partition.deadLetters, offset);
      if (unsettled.topic === "retry") noteOwn(partition.deadLetters, record);
      const { code, pointers } = refusal;
      observe({ kind: "record-refused", at: positionOf(record), code, pointers });
    });
  }

  function moveHome(unsettled: UnsettledRecord, home: number, tenantId: string): void {
    const { record, topic } = unsettled;
    // What was parked stays parked, with its doubt, which is believed only there.
    const moved = movedRecord(record, { topic, partition: home, key: utf8.encode(tenantId) });
    traces?.sending(record, sentTo(topic, home));
    publish(unsettled, { record: moved, postedAt: neverPosted }, () => {
      traces?.sent(record);
      observe({ kind: "record-rehomed", at: positionOf(record), toPartition: home });
    });
  }

  /** In doubt, a create of it may have been carried out: then it must be read back before the next create. */
  function park(work: Work): void {
    const { record, partition } = work;
    const { tenantId } = work.enrollment;
    sendToPark(partition.parking, tenantId, record.offset);
    const moved = movedRecord(record, {
      topic: "retry",
      partition: partition.number,
      key: utf8.encode(tenantId),
    });
    const traceparent = traces?.sending(record, sentTo("retry", partition.number)) ?? null;
    const parked = withTrace(parkedRecord(moved, work.stage.doubt !== null), traceparent); // INV-DOUBT
    append(work, { record: parked, postedAt: neverPosted }, (retryOffset) => {
      traces?.sent(record);
      observe({ kind: "record-parked", at: positionOf(record), tenantId });
      const isUnseen = settings.sabotage?.has("parked-unseen") ?? false;
      const isAwaited = acknowledge(partition.parking, tenantId, {
        enrolledOffset: record.offset,
        retryOffset,
        arrive: () => isUnseen || raise(work, arrived),
        sendAgain: () => raise(work, copyLost),
      });
      if (!isAwaited || isUnseen) raise(work, arrived);
    });
  }
}

function sentTo(to: Topic, partition: number): TracedOutcome {
  return { to, partition, refusal: null };
}

function withTrace(record: NewRecord, traceparent: string | null): NewRecord {
  if (traceparent === null) return record;
  return { ...record, headers: [...record.headers, [traceparentHeader, utf8.encode(traceparent)]] };
}

function positionOf({ topic, partition, offset }: LogRecord): Position {
  return { topic, partition, offset };
}
