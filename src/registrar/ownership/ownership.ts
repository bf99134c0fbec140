/**
 * Which partitions this worker owns, from session to session. How one is taken over is in gain.ts.
 *
 * 1. INV-CLAIM: a partition is kept over a new session only if the stored commits still carry our claim: then no other worker
 *    owned it in between, and what is in flight continues. Otherwise all of it is dropped and taken over again.
 * 2. INV-DOUBT: suspects are released after the settle time of the worker that may have created them, and only when the
 *    ledger and what that worker may have dead-lettered were read to their ends once more.
 * 3. INV-LEASE: where the worker that committed last may still begin creates, nothing is read or claimed before it can't any
 *    more: its stored commit tells the same to the next one.
 */

import type { InputTopic, Session } from "../../ports.ts";
import { isProblem, type Problem } from "../../problem.ts";
import { sleep } from "../../sleep.ts";
import type { LedgerReader } from "../ledger/ledger-reader.ts";
import type { Persist } from "../persist.ts";
import type { Ports } from "../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import { type Assignment, carryClaim, overlapMs, positionsOf, readAssignment } from "./assignment.ts";
import { type GainParts, gain } from "./gain.ts";
import { createLease, type Lease } from "./lease.ts";
import { isOwned, type OwnedPartition } from "./partition.ts";
import { createSuspects, type Suspects } from "./suspects.ts";
import { gapFault, type InputGap } from "./take-over.ts";

export interface OwnershipEvents {
  /** Confirmed under its session: read on from each window's nextOffset, commit, create. */
  ready(partition: OwnedPartition): void;
  /** Suspects may continue. */
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

/** What one session's take-overs have in common. */
interface Facts {
  readonly assignment: Assignment;
  readonly lease: Lease;
  readonly assignedAtMs: number;
}

export function createOwnership(parts: OwnershipParts, events: OwnershipEvents) {
  const { ports, settings, owned, persist } = parts;
  const { log, clock, observe } = ports;
  const suspects = createSuspects(log, settings, persist);
  const onUnknown = () => events.commitUnknown();
  const gainParts: GainParts = { ...parts, random: ports.random, suspects, onUnknown };
  return { begin, regain, dropAll };

  /** Called as soon as a session begins. */
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
    const assignment = await readAssignment({ log, persist }, session, session.partitions);
    if (assignment === null) return;
    const facts = { assignment, lease, assignedAtMs };
    await Promise.all(session.partitions.map((number) => keepOrTakeOver(number, facts)));
  }

  function keepOrTakeOver(number: number, facts: Facts): Promise<void> | void {
    const kept = owned.get(number);
    if (kept !== undefined && carryClaim(positionsOf(facts.assignment, number), kept.claim))
      return keep(kept, facts.lease); // INV-CLAIM
    if (kept !== undefined) drop(kept); // INV-CLAIM
    const later = afterOverlap(parts, number, facts); // 3, INV-LEASE
    return later === null
      ? takeOver(number, facts)
      : later.then((then) => (then ? takeOver(number, then) : undefined));
  }

  function keep(partition: OwnedPartition, lease: Lease): void {
    partition.lease = lease;
    partition.confirmed = true;
    observe({ kind: "partition-kept", partition: partition.number });
    events.ready(partition);
  }

  /**
   * The log of this input is not the one that was read, and the operator chose to continue: the partition is taken over again,
   * from the start of what is there, and all of it is suspect.
   */
  async function regain(partition: OwnedPartition, topic: InputTopic): Promise<void> {
    if (!isOwned(partition)) return;
    drop(partition);
    await takeOverFromTheStart(partition.number, partition.lease, topic);
  }

  async function takeOverFromTheStart(number: number, lease: Lease, topic: InputTopic): Promise<void> {
    const assignment = await readAssignment({ log, persist }, lease.session, [number]);
    if (assignment !== null)
      await takeOver(number, { assignment, lease, assignedAtMs: clock.nowMs() }, topic);
  }

  /** `lost`: an input whose stored position means nothing any more. */
  async function takeOver(number: number, facts: Facts, lost: InputTopic | null = null): Promise<void> {
    const { assignment, lease, assignedAtMs } = facts;
    const { topics } = assignment;
    const positions = positionsOf(assignment, number);
    const gained = await gain(gainParts, { number, positions, topics, lease, assignedAtMs, lost });
    if (gained === null) return;
    if (isProblem(gained)) return events.fault(gained);
    if ("lost" in gained) {
      sayPassed(number, gained.lost);
      return takeOverFromTheStart(number, lease, gained.lost.topic);
    }
    const { partition } = gained;
    for (const passed of gained.passed) sayPassed(number, passed);
    owned.set(number, partition);
    const ledgerEntries = partition.ledger.size;
    observe({ kind: "partition-gained", partition: number, suspects: gained.suspects, ledgerEntries });
    events.ready(partition);
    const ended = await untilReleased(parts, suspects, partition);
    if (ended === "lost") return;
    if (ended !== "released") return events.fault(ended);
    partition.suspectsReleased = true;
    events.released(partition);
    await findLateDeadLetters(parts, suspects, partition);
  }

  function sayPassed(partition: number, { topic, gap }: InputGap): void {
    observe({ kind: "gap-passed", topic, partition, detail: gapFault(topic, partition, gap).message });
  }

  function dropAll(): void {
    for (const partition of [...owned.values()]) drop(partition);
  }

  function drop(partition: OwnedPartition): void {
    owned.delete(partition.number);
    const abandoned = partition.window.unsettled + partition.parking.taken.size;
    observe({ kind: "partition-lost", partition: partition.number, abandoned });
    partition.lost.abort();
    events.lost(partition);
  }
}

async function untilReleased(
  { ports: { clock }, ledgers }: OwnershipParts,
  suspects: Suspects,
  partition: OwnedPartition,
): Promise<"released" | "lost" | Problem> {
  const { number, ledger, takenOverAtMs, inherited, lost } = partition;
  await sleep(clock, takenOverAtMs + inherited.settleMs - clock.nowMs(), lost.signal); // INV-SETTLE-TIME
  const caughtUp = await ledgers.catchUp(number, ledger, lost.signal); // INV-DOUBT
  if (caughtUp === null) return "lost";
  if (isProblem(caughtUp)) return caughtUp;
  return (await suspects.findDeadLetters(partition)) ? "released" : "lost"; // INV-DOUBT
}

/** One that a killed process had on its way is stored until its connections are over: only then are its objects surely absent, too. */
async function findLateDeadLetters(
  { ports: { clock }, settings }: OwnershipParts,
  suspects: Suspects,
  partition: OwnedPartition,
): Promise<void> {
  if (settings.sabotage?.has("late-dead-letters")) return;
  const { takenOverAtMs, inherited, lost } = partition;
  const overAtMs = takenOverAtMs + inherited.settleMs + inherited.orphanMs;
  await sleep(clock, overAtMs - clock.nowMs(), lost.signal); // INV-SETTLE-TIME
  if (!lost.signal.aborted) await suspects.findDeadLetters(partition); // INV-DURABLE-OUTCOME
}

/** When the worker that committed last can't begin a create any more: what is to be known then, null if the session ended first. Null: now. */
function afterOverlap(
  { ports: { log, clock, observe }, persist }: OwnershipParts,
  number: number,
  { assignment, lease, assignedAtMs }: Facts,
): Promise<Facts | null> | null {
  const { session } = lease;
  const waitMs = overlapMs(positionsOf(assignment, number), session);
  if (waitMs === 0) return null;
  observe({ kind: "take-over-waits", partition: number, forMs: waitMs });
  return sleep(clock, Math.max(0, assignedAtMs + waitMs - clock.nowMs()), session.ended).then(async () => {
    const again = await readAssignment({ log, persist }, session, [number]);
    return again === null ? null : { assignment: again, lease, assignedAtMs: clock.nowMs() };
  });
}
