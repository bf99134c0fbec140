/**
 * Which partitions this worker owns, from session to session.
 *
 * 1. A partition is kept over a new session only if the stored commits still carry our claim: then nobody else owned
 *    it in between, and what is in flight goes on. Otherwise all of it is dropped and taken over anew.
 * 2. A take-over commits its own claim before it does anything else, so the next one can tell. No create begins before
 *    that claim is acknowledged and the ledger was read to its end as of the assignment.
 * 3. Suspects are released after the settle time, and only when the ledger was read to its end once more.
 */
import { momentOf } from "../moment.ts";
import { type InputPosition, type InputTopic, inputTopics, type LogRecord, type Session } from "../ports.ts";
import { randomUuid } from "./claim.ts";
import { decodeMetadata, encodeMetadata } from "./commit-metadata.ts";
import { type Fault, isFault } from "./fault.ts";
import { createLease, type Lease, renew } from "./lease.ts";
import type { LedgerReader } from "./ledger-reader.ts";
import { createParking, note, type Parking, parkedTenantOf } from "./parking.ts";
import { createPartition, type OwnedPartition, trackOf } from "./partition.ts";
import type { Persist } from "./persist.ts";
import type { Ports } from "./pipeline.ts";
import type { RegistrarSettings } from "./settings.ts";
import { planTakeOver, type TakeOver } from "./take-over.ts";
import { sleep } from "./timers.ts";

export interface OwnershipEvents {
  /** Confirmed under its session: read on from each window's nextOffset, commit, create. */
  ready(partition: OwnedPartition): void;
  /** Suspects may go on. */
  released(partition: OwnedPartition): void;
  lost(partition: OwnedPartition): void;
  /** A commit just ended with an unknown outcome; it may still land. */
  commitUnknown(): void;
  fault(fault: Fault): void;
}

/** `owned` is changed here only. */
export function createOwnership(
  ports: Ports,
  settings: RegistrarSettings,
  owned: Map<number, OwnedPartition>,
  ledgers: LedgerReader,
  persist: Persist,
  events: OwnershipEvents,
) {
  const { log, clock, random, observe } = ports;
  return { begin, dropAll };

  /** Called at once when a session begins. */
  function begin(session: Session): void {
    observe({ kind: "session-started", partitions: session.partitions });
    for (const partition of [...owned.values()]) {
      partition.confirmed = false;
      if (!session.partitions.includes(partition.number)) drop(partition);
    }
    void settleIn(createLease(session), clock.nowMs());
  }

  async function settleIn(lease: Lease, assignedAtMs: number): Promise<void> {
    const { session } = lease;
    if (session.partitions.length === 0) return;
    const positions = await persist(session.ended, "positions", async () => {
      const result = await session.positions(session.partitions);
      return result.ok ? { ok: true, value: result.positions } : result;
    });
    if (positions === null) return;
    await Promise.all(
      session.partitions.map((number) => {
        const both = byTopic(positions.filter(({ partition }) => partition === number));
        const kept = owned.get(number);
        if (kept !== undefined && inputTopics.every((topic) => claimOf(both[topic]) === kept.claim))
          return keep(kept, lease); // 1
        if (kept !== undefined) drop(kept); // 1
        return gain(number, both, lease, assignedAtMs);
      }),
    );
  }

  function keep(partition: OwnedPartition, lease: Lease): void {
    partition.lease = lease;
    partition.confirmed = true;
    observe({ kind: "partition-kept", partition: partition.number });
    events.ready(partition);
  }

  async function gain(number: number, positions: ByTopic, lease: Lease, assignedAtMs: number): Promise<void> {
    const { session } = lease;
    const ledger = await ledgers.open(number, session.ended);
    if (ledger === null) return;
    const ledgerEmpty = ledger.nextOffset === 0;
    const plans = {} as Record<InputTopic, TakeOver>;
    for (const topic of inputTopics) {
      const plan = planTakeOver(positions[topic], ledgerEmpty, settings.onRetentionGap);
      if (isFault(plan)) return events.fault(plan);
      plans[topic] = plan;
    }
    const claim = randomUuid(random);
    const promised = await commitClaim(number, claim, plans, lease); // 2
    if (promised === null) return;
    const parking = await indexParked(number, plans.retry.startAt, session);
    if (parking === null) return;
    const partition = createPartition(number, claim, lease, assignedAtMs, plans, ledger, parking);
    for (const topic of inputTopics) trackOf(partition, topic).promised = promised[topic];
    owned.set(number, partition);
    const suspects = inputTopics.reduce(
      (sum, topic) => sum + plans[topic].suspectsBelow - plans[topic].startAt,
      0,
    );
    observe({ kind: "partition-gained", partition: number, suspects, ledgerEntries: ledger.size });
    events.ready(partition);
    await releaseSuspects(partition);
  }

  /** Resolves to what was promised, or null when the session ended first. */
  async function commitClaim(
    number: number,
    claim: string,
    plans: Record<InputTopic, TakeOver>,
    lease: Lease,
  ) {
    const { session } = lease;
    const promised = {} as Record<InputTopic, number>;
    const commits = inputTopics.map((topic) => {
      const { startAt, attemptedThrough } = plans[topic];
      promised[topic] = Math.max(attemptedThrough, startAt + settings.attemptAhead);
      const metadata = encodeMetadata({ attemptedThrough: promised[topic], claim });
      return { topic, partition: number, offset: startAt, metadata };
    });
    return persist(session.ended, "commit", async () => {
      const sentAt = momentOf(clock);
      const result = await session.commit(commits);
      if (result === "committed") renew(lease, sentAt);
      if (result === "unknown") events.commitUnknown();
      observe({ kind: "committed", result, partitions: 1 });
      if (result === "committed") return { ok: true, value: promised };
      return { ok: false, reason: `the claim of partition ${number} was not acknowledged (${result})` };
    });
  }

  /** Which tenants have records parked must be known before any new record of theirs is looked at. */
  async function indexParked(number: number, startAt: number, session: Session): Promise<Parking | null> {
    return persist(session.ended, "read parked records", async () => {
      const parking = createParking(startAt);
      const onRecords = (records: readonly LogRecord[]) => {
        for (const record of records) note(parking, parkedTenantOf(record), record.offset);
      };
      const result = await log.scan("retry", number, startAt, onRecords, session.ended);
      return result.ok ? { ok: true, value: parking } : result;
    });
  }

  async function releaseSuspects(partition: OwnedPartition): Promise<void> {
    const { signal } = partition.lost;
    await sleep(clock, partition.takenOverAtMs + settings.settleMs - clock.nowMs(), signal);
    if (!(await ledgers.catchUp(partition.number, partition.ledger, signal))) return; // 3
    partition.suspectsReleased = true;
    events.released(partition);
  }

  function dropAll(): void {
    for (const partition of [...owned.values()]) drop(partition);
  }

  function drop(partition: OwnedPartition): void {
    owned.delete(partition.number);
    partition.confirmed = false;
    const abandoned = partition.window.unsettled + partition.parking.taken.size;
    observe({ kind: "partition-lost", partition: partition.number, abandoned });
    partition.lost.abort();
    events.lost(partition);
  }
}

type ByTopic = Readonly<Record<InputTopic, InputPosition>>;

function byTopic(positions: readonly InputPosition[]): ByTopic {
  const found = {} as Record<InputTopic, InputPosition>;
  for (const position of positions) found[position.topic] = position;
  return found;
}

function claimOf(position: InputPosition): string | null {
  return position.committed === null ? null : (decodeMetadata(position.committed.metadata)?.claim ?? null);
}
