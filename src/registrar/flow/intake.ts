/**
 * What a record is when it is taken in: no enrollment, another partition's, one that is registered already, or a new one.
 *
 * 1. INV-SINGLE-OWNER: one tenant, one partition; what stands elsewhere is moved to its tenant's home.
 * 2. INV-DOUBT: doubt belongs to an enrollment: every copy of a record in doubt is in doubt.
 * 3. INV-ORDER: what its tenant has parked goes first, and a paused tenant's records are parked.
 * 4. INV-SERVED: a valid record of a tenant that is not served goes the way of all others up to its create: an earlier owner may
 *    have served it, and have registered it or begun to.
 */
import assert from "node:assert/strict";
import { type Decoded, decode } from "../../domain/decode.ts";
import type { Enrollment } from "../../domain/enrollment.ts";
import { identify } from "../../domain/identity.ts";
import { homePartition } from "../../domain/murmur2.ts";
import { originOf } from "../../domain/origin.ts";
import type { LogRecord } from "../../ports.ts";
import type { TracedEnrollment } from "../../trace-port.ts";
import { isInDoubt } from "../intake/in-doubt.ts";
import { isParked, note, noteArrival, parkedTenantOf } from "../intake/parking.ts";
import { type Doubt, enteredStage } from "../intake/stage.ts";
import { enter, type Slot } from "../intake/window.ts";
import { isRegistered } from "../ledger/ledger.ts";
import { noteParkedInDoubt } from "../ownership/dead-letters.ts";
import type { OwnedPartition, UnsettledRecord, Work } from "../ownership/partition.ts";
import type { Core } from "./core.ts";
import { isFollowed } from "./lanes.ts";
import type { Tenants } from "./tenants.ts";

export interface Intake {
  /** Takes in the next record of the partition's enrolled topic. */
  accept(partition: OwnedPartition, record: LogRecord): void;
  /** Notes the next record of the partition's retry topic; it is taken up when its tenant can continue. */
  noteParked(partition: OwnedPartition, record: LogRecord): void;
  /** A parked record that is taken up. */
  takeUp(partition: OwnedPartition, slot: Slot, record: LogRecord): void;
}

const homesMax = 10_000;

export function createIntake(
  { ports, settings, raise }: Pick<Core, "ports" | "settings" | "raise">,
  counts: Pick<Tenants, "createsOf" | "createsOfAll">,
): Intake {
  const { log, clock, traces } = ports;
  const { tenants } = settings;
  const homes = new Map<string, number>();
  return {
    accept(partition, record) {
      const slot = enter(partition.window, record.offset);
      takeIn({ partition, topic: "enrolled", record, slot });
    },
    noteParked(partition, record) {
      const { topic, partition: cameFrom, offset } = originOf(record);
      const tenantId = parkedTenantOf(record);
      note(partition.parking, tenantId, record.offset);
      if (isInDoubt(record)) noteParkedInDoubt(partition.deadLetters, record.offset); // INV-DOUBT
      if (topic === "enrolled" && cameFrom === partition.number)
        noteArrival(partition.parking, tenantId, offset)?.arrive();
    },
    takeUp: (partition, slot, record) => takeIn({ partition, topic: "retry", record, slot }),
  };

  function takeIn(read: Read): void {
    const { partition, record, topic } = read;
    const decoded = decodeOfAny(record);
    if (!decoded.ok) {
      traces?.taken(record, null);
      return raise(strayOf(read), { kind: "refused", refusal: decoded.refusal });
    }
    const { tenantId } = decoded.enrollment;
    const home = homeOf(tenantId);
    const isHome = home === partition.number || settings.sabotage?.has("home-partition");
    if (!isHome) {
      traces?.taken(record, null);
      return raise(strayOf(read), { kind: "astray", home, tenantId }); // INV-SINGLE-OWNER
    }
    const work = workOf(read, decoded.enrollment);
    traces?.taken(record, tracedOf(work));
    // Settled outside its lane: what is in a lane tells what must not be overtaken.
    if (isRegistered(partition.ledger, work.idempotencyKey)) return raise(work, { kind: "known" }); // INV-ONE-CREATE-PER-KEY
    work.stage = enteredStage(doubtOf(work), counts.createsOf(tenantId), counts.createsOfAll());
    const isPaused = work.stage.doubt === null && tenants.standingOf(tenantId) === "paused";
    const isWaitedFor = topic === "enrolled" && (isPaused || isParked(partition.parking, tenantId));
    raise(work, { kind: "accepted", mustPark: isWaitedFor && !isFollowed(partition, work.lane) }); // INV-ORDER
  }

  /** Faults other than in its tenant are reported only for tenants that are served. */
  function decodeOfAny(record: LogRecord): Decoded {
    const decoded = decode(record, (tenantId) => tenants.standingOf(tenantId) !== "unlisted");
    if (decoded.ok || decoded.refusal.code !== "tenant-not-allowed") return decoded;
    const ofAny = decode(record, () => true);
    return ofAny.ok && !settings.sabotage?.has("unlisted-unread") ? ofAny : decoded; // INV-SERVED
  }

  /** Member by member: copies of other objects would cost more than all that is in it. */
  function workOf({ partition, topic, slot, record }: Read, enrollment: Enrollment): Work {
    const identity = identify(enrollment.tenantId, enrollment.details);
    assert(identity !== null, "decode accepted a date-time that has no instant");
    return {
      partition,
      topic,
      slot,
      record,
      idempotencyKey: identity.idempotencyKey,
      lane: settings.sabotage?.has("machine-order") ? `${topic} ${record.offset}` : identity.lane,
      enrollment,
      enteredAtMs: clock.nowMs(),
      stage: strayStage,
    };
  }

  function doubtOf({ partition, topic, record, idempotencyKey }: Work): Doubt | null {
    const isPlacedInDoubt = record.offset < partition.suspectsBelow[topic] || isInDoubt(record);
    const isOverlooked = settings.sabotage?.has("suspects-by-identity") && !isPlacedInDoubt;
    if (isOverlooked) partition.doubts.delete(idempotencyKey);
    return partition.doubts.get(idempotencyKey) ?? null; // INV-DOUBT
  }

  /** Remembered: to hash a tenant's id takes longer than to read its event's data. */
  function homeOf(tenantId: string): number {
    const known = homes.get(tenantId);
    if (known !== undefined) return known;
    if (homes.size >= homesMax) homes.clear();
    const home = homePartition(tenantId, log.partitionCount);
    homes.set(tenantId, home);
    return home;
  }
}

function tracedOf({ enrollment, idempotencyKey }: Work): TracedEnrollment {
  const { tenantId, event } = enrollment;
  return { tenantId, idempotencyKey, eventId: event.id, traceparent: event.traceparent };
}

type Read = Pick<UnsettledRecord, "partition" | "topic" | "slot" | "record">;

const strayStage = enteredStage(null, 0, 0);

function strayOf(read: Read): UnsettledRecord {
  return { ...read, lane: null, stage: strayStage };
}
