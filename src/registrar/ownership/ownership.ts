/**
 * Which partitions this worker owns, from session to session.
 *
 * 1. INV-CLAIM: a partition is kept over a new session only if the stored commits still carry our claim: then nobody else
 *    owned it in between, and what is in flight goes on. Otherwise all of it is dropped and taken over again.
 * 2. INV-CLAIM: a take-over commits its own claim before it does anything else, so the next one can tell. INV-LEDGER-READ:
 *    no create begins before that claim is acknowledged and the ledger was read to its end as of the assignment.
 * 3. INV-DOUBT: suspects are released after the settle time of the worker that may have created them, and only when the
 *    ledger and what that worker may have dead-lettered were read to their ends once more.
 * 4. INV-DOUBT: whatever a previous owner may have attempted is known by its enrollment before any record is looked at: a
 *    copy of it may stand elsewhere, outside the watermark.
 * 5. INV-KNOWN-LOG: the log must be the one that the stored commits know: the same topics, none shorter than it was.
 */
import { momentOf } from "../../moment.ts";
import {
  type InputPosition,
  type InputTopic,
  inputTopics,
  type Session,
  type SurveyResult,
} from "../../ports.ts";
import { isProblem, type Problem } from "../../problem.ts";
import { sleep } from "../../sleep.ts";
import { randomUuid } from "../claim.ts";
import { createParking } from "../intake/parking.ts";
import type { LedgerReader } from "../ledger/ledger-reader.ts";
import type { Persist } from "../persist.ts";
import type { Ports } from "../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import { decodeMetadata, encodeMetadata, type KnownLog, type Limits, ownLimits } from "./commit-metadata.ts";
import { createLease, type Lease, renew } from "./lease.ts";
import { createPartition, isOwned, knownLogOf, type OwnedPartition, trackOf, widest } from "./partition.ts";
import { createSuspects } from "./suspects.ts";
import { fromTheStart, planTakeOver, type TakeOver } from "./take-over.ts";

export interface OwnershipEvents {
  /** Confirmed under its session: read on from each window's nextOffset, commit, create. */
  ready(partition: OwnedPartition): void;
  /** Suspects may go on. */
  released(partition: OwnedPartition): void;
  lost(partition: OwnedPartition): void;
  /** A commit just ended with an unknown outcome; it may still land. */
  commitUnknown(): void;
  fault(fault: Problem): void;
}

export interface OwnershipParts {
  readonly ports: Ports;
  readonly settings: RegistrarSettings;
  /** Changed here only. */
  readonly owned: Map<number, OwnedPartition>;
  readonly ledgers: LedgerReader;
  readonly persist: Persist;
  /** Has Graph shown that it honours our ids? */
  readonly honoursIds: () => boolean;
}

export function createOwnership(parts: OwnershipParts, events: OwnershipEvents) {
  const { ports, settings, owned, ledgers, persist, honoursIds } = parts;
  const { log, clock, random, observe } = ports;
  const attempted = createSuspects(log, settings, persist);
  return { begin, regain, dropAll };

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
    const positions = await committed(session, session.partitions);
    const topics = await surveyed(session);
    if (positions === null || topics === null) return;
    const facts = { topics, lease, assignedAtMs };
    await Promise.all(
      session.partitions.map((number) => {
        const both = byTopic(positions.filter(({ partition }) => partition === number));
        const kept = owned.get(number);
        if (kept !== undefined && inputTopics.every((topic) => claimOf(both[topic]) === kept.claim))
          return keep(kept, lease); // INV-CLAIM
        if (kept !== undefined) drop(kept); // INV-CLAIM
        return gain(number, both, facts);
      }),
    );
  }

  function keep(partition: OwnedPartition, lease: Lease): void {
    partition.lease = lease;
    partition.confirmed = true;
    observe({ kind: "partition-kept", partition: partition.number });
    events.ready(partition);
  }

  /**
   * The log of this input is not the one that was read, and the operator said to go on: the partition is taken over again,
   * from the start of what is there, and all of it is suspect.
   */
  async function regain(partition: OwnedPartition, topic: InputTopic): Promise<void> {
    const { number, lease } = partition;
    if (!isOwned(partition)) return;
    drop(partition);
    const positions = await committed(lease.session, [number]);
    const topics = await surveyed(lease.session);
    if (positions === null || topics === null) return;
    await gain(number, byTopic(positions), { topics, lease, assignedAtMs: clock.nowMs() }, topic);
  }

  function committed(session: Session, partitions: readonly number[]) {
    return persist(session.ended, "positions", async () => {
      const result = await session.positions(partitions);
      return result.ok ? { ok: true, value: result.positions } : result;
    });
  }

  /** `lost`: an input whose stored position means nothing any more. */
  async function gain(
    number: number,
    positions: ByTopic,
    { topics, lease, assignedAtMs }: Facts,
    lost: InputTopic | null = null,
  ): Promise<void> {
    const { session } = lease;
    const known = inputTopics.map((topic) => knownBy(positions[topic]));
    const ledger = await ledgers.open(number, topics.registered, known, session.ended); // INV-LEDGER-READ, INV-KNOWN-LOG
    if (ledger === null) return;
    if (isProblem(ledger)) return events.fault(ledger);
    const ledgerEmpty = ledger.nextOffset === 0;
    const plans = {} as Record<InputTopic, TakeOver>;
    for (const topic of inputTopics) {
      const plan = planTakeOver(positions[topic], topics[topic].id, ledgerEmpty, settings.onRetentionGap);
      if (isProblem(plan)) return events.fault(plan);
      plans[topic] = topic === lost ? fromTheStart(plan, positions[topic]) : plan;
    }
    const claim = randomUuid(random);
    const topicIds = {
      enrolled: topics.enrolled.id,
      retry: topics.retry.id,
      registered: topics.registered.id,
    };
    const inherited = inheritedLimits(plans, settings);
    const partition = createPartition({
      number,
      claim,
      lease,
      takenOverAtMs: assignedAtMs,
      plans,
      inherited,
      topicIds,
      ledger,
      parking: createParking(plans.retry.startAt),
      deadLettersEnd: topics.dlq.bounds[number]?.end ?? 0,
    });
    const watermarks = await commitClaim(partition, plans); // INV-CLAIM
    if (watermarks === null) return;
    if (!(await attempted.find(partition, session))) return; // 4, INV-DOUBT
    for (const topic of inputTopics) trackOf(partition, topic).attemptedThrough = watermarks[topic];
    owned.set(number, partition);
    const suspects = inputTopics.reduce(
      (sum, topic) => sum + plans[topic].suspectsBelow - plans[topic].startAt,
      0,
    );
    observe({ kind: "partition-gained", partition: number, suspects, ledgerEntries: ledger.size });
    events.ready(partition);
    await releaseSuspects(partition);
  }

  /** Resolves to the watermarks that were committed, or null when the session ended first. */
  async function commitClaim(
    partition: OwnedPartition,
    plans: Record<InputTopic, TakeOver>,
  ): Promise<Record<InputTopic, number> | null> {
    const { number, claim, lease } = partition;
    const { session } = lease;
    const own = ownLimits(settings, honoursIds());
    const hasSuspects = inputTopics.some((topic) => plans[topic].suspectsBelow > plans[topic].startAt);
    const limits = hasSuspects ? widest(own, partition.inherited) : own;
    const watermarks = {} as Record<InputTopic, number>;
    const commits = inputTopics.map((topic) => {
      const { startAt, attemptedThrough } = plans[topic];
      watermarks[topic] = Math.max(attemptedThrough, startAt + settings.attemptAhead);
      const known = knownLogOf(partition, topic, startAt);
      const metadata = encodeMetadata({ attemptedThrough: watermarks[topic], claim, limits, known });
      return { topic, partition: number, offset: startAt, metadata };
    });
    return persist(session.ended, "commit", async () => {
      const sentAt = momentOf(clock);
      const result = await session.commit(commits);
      if (result === "committed") renew(lease, sentAt);
      if (result === "unknown") events.commitUnknown();
      observe({ kind: "committed", result, partitions: 1 });
      if (result === "committed") return { ok: true, value: watermarks };
      return { ok: false, reason: `the claim of partition ${number} was not acknowledged (${result})` };
    });
  }

  function surveyed(session: Session): Promise<Topics | null> {
    return persist(session.ended, "survey", async () => {
      const result = await log.survey();
      return result.ok ? { ok: true, value: result.topics } : result;
    });
  }

  async function releaseSuspects(partition: OwnedPartition): Promise<void> {
    const { signal } = partition.lost;
    await sleep(clock, partition.takenOverAtMs + partition.inherited.settleMs - clock.nowMs(), signal); // INV-SETTLE-TIME
    const caughtUp = await ledgers.catchUp(partition.number, partition.ledger, signal); // 3, INV-DOUBT
    if (caughtUp === null) return;
    if (isProblem(caughtUp)) return events.fault(caughtUp);
    if (!(await attempted.findDeadLetters(partition))) return; // 3, INV-DOUBT
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

type Topics = Extract<SurveyResult, { ok: true }>["topics"];

/** What one session's take-overs have in common. */
interface Facts {
  readonly topics: Topics;
  readonly lease: Lease;
  readonly assignedAtMs: number;
}

function inheritedLimits(
  plans: Readonly<Record<InputTopic, TakeOver>>,
  { settleMs, orphanMs }: RegistrarSettings,
): Limits {
  const unknown: Limits = { settleMs, orphanMs, isHonoured: false };
  return widest(plans.enrolled.limits ?? unknown, plans.retry.limits ?? unknown);
}

function knownBy({ committed }: InputPosition): KnownLog | null {
  return committed === null ? null : (decodeMetadata(committed.metadata)?.known ?? null);
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
