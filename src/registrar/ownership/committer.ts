/**
 * Commits settledThrough and the attempt watermark of all partitions, in one request: when, and what follows from the answer.
 * What a commit holds is in due-commits.ts.
 *
 * 1. One commit is in flight at a time, under the session that its partitions are confirmed for.
 * 2. INV-WATERMARK: a watermark grows only when a commit that carries it was acknowledged.
 * 3. INV-WATERMARK: a commit of unknown outcome may still land, over later ones, until settleMs after it ended. Until then
 *    no acknowledgement widens a promise; then all positions are committed again.
 * 4. An ordinary commit waits for commitIntervalMs since the last; one that records wait for is sent immediately.
 * 5. INV-LEASE: it is renewed before it runs out, also where nothing else is to be committed.
 * 6. INV-DOUBT: what may be stored says that ids are honoured until another commit is acknowledged that does not.
 */

import { momentOf } from "../../moment.ts";
import { backoffMs } from "../../policy/backoff.ts";
import type { CommitResult, Session } from "../../ports.ts";
import type { BackoffPorts } from "../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import { createDueCommits, type Due } from "./due-commits.ts";
import { dueInMs, isDue, type Lease, renew, revoke } from "./lease.ts";
import { isOwned, type OwnedPartition, trackOf } from "./partition.ts";
import { createSchedule } from "./schedule.ts";

export interface Committer {
  /** Something settled, or was read. */
  commitSoon(): void;
  /** Records wait for a promise, or for the lease. */
  commitNow(): void;
  /** A commit just ended with an unknown outcome. */
  suspendPromises(): void;
  /** The last commits of a clean shutdown: promise no more than what may have been carried out. */
  finish(session: Session): Promise<void>;
}

const failureBackoff = { baseMs: 100, capMs: 5_000 };
const finishTriesMax = 3;

export interface CommitterParts {
  readonly ports: BackoffPorts;
  readonly settings: RegistrarSettings;
  readonly owned: ReadonlyMap<number, OwnedPartition>;
  /** Has Graph shown that it honours our ids? */
  readonly honoursIds: () => boolean;
  readonly onPromised: (partition: OwnedPartition) => void;
}

export function createCommitter(parts: CommitterParts): Committer {
  const { settings, owned: partitions, honoursIds, onPromised } = parts;
  const { clock, random, observe } = parts.ports;
  const dueCommits = createDueCommits({ settings, owned: partitions, honoursIds });
  const schedule = createSchedule(clock, () => void commit());
  let committing: Promise<CommitResult> | null = null;
  let finished = false;
  /** Asked for while a commit was in flight. */
  let isWantedNow = false;
  let lastMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let suspendedUntilMs = Number.NEGATIVE_INFINITY;

  return {
    commitSoon: () => planAt(lastMs + settings.commitIntervalMs), // 4
    commitNow() {
      if (committing !== null) isWantedNow = true;
      else if (failures === 0) planAt(clock.nowMs()); // 4
    },
    suspendPromises,
    finish,
  };

  function planAt(atMs: number): void {
    if (!finished && committing === null) schedule.at(atMs);
  }

  async function commit(): Promise<void> {
    const lease = confirmedLease();
    if (finished || lease === null) return;
    const due = dueCommits.collect(lease, { isRenewal: isDue(lease, clock) });
    if (due.length === 0) return planRenewal(lease);
    const sentAt = momentOf(clock);
    const sentMs = sentAt.monotonicMs;
    lastMs = sentMs;
    for (const { isHonoured, partition, commit } of due) // 6: whatever is answered, it may be stored.
      if (isHonoured) partition.saysHonoured.add(commit.topic);
    committing = lease.session.commit(due.map(({ commit }) => commit)); // 1
    const result = await committing;
    committing = null;
    observe({ kind: "committed", result, partitions: due.length });
    if (result === "committed") {
      failures = 0;
      renew(lease, sentAt); // INV-LEASE
      acknowledge(due, sentMs);
      planAt(isWantedNow ? clock.nowMs() : lastMs + settings.commitIntervalMs); // 4
      isWantedNow = false;
      return;
    }
    // Superseded: the next session continues from here. If this one does not end after all, we ask again.
    if (result === "superseded") revoke(lease); // INV-LEASE
    if (result === "unknown") suspendPromises(); // 3, INV-WATERMARK
    failures++;
    planAt(clock.nowMs() + backoffMs(failures, random, failureBackoff));
  }

  function planRenewal(lease: Lease): void {
    const inMs = dueInMs(lease, clock);
    if (inMs < Number.POSITIVE_INFINITY) planAt(clock.nowMs() + Math.ceil(inMs)); // 5
  }

  function suspendPromises(): void {
    // From its end on, not from its sending: a process that froze in between may have sent it as late as that.
    const untilMs = clock.nowMs() + settings.settleMs;
    if (untilMs <= suspendedUntilMs) return;
    suspendedUntilMs = untilMs;
    clock.after(untilMs - clock.nowMs(), () => {
      if (suspendedUntilMs !== untilMs) return;
      dueCommits.forgetStored(); // 3
      planAt(clock.nowMs());
    });
  }

  function acknowledge(due: readonly Due[], sentMs: number): void {
    const grown = new Set<OwnedPartition>();
    for (const { commit, partition, attemptedThrough, isHonoured } of due) {
      // Sent while promises were suspended, acknowledged after that: it has to be sent once more.
      const isStale = sentMs < suspendedUntilMs && clock.nowMs() >= suspendedUntilMs;
      if (!isStale) dueCommits.noteStored(commit);
      if (sentMs < suspendedUntilMs) continue; // 3, INV-WATERMARK
      if (!isHonoured && partition.saysHonoured.delete(commit.topic)) grown.add(partition); // 6
      const track = trackOf(partition, commit.topic);
      if (attemptedThrough <= track.attemptedThrough) continue;
      track.attemptedThrough = attemptedThrough; // INV-WATERMARK
      grown.add(partition);
    }
    for (const partition of grown) if (isOwned(partition)) onPromised(partition);
  }

  function confirmedLease(): Lease | null {
    for (const { confirmed, lease } of partitions.values())
      if (confirmed && !lease.session.ended.aborted) return lease;
    return null;
  }

  async function finish(session: Session): Promise<void> {
    finished = true;
    schedule.cancel();
    await committing; // 1: it would land over the last one, with its larger promise.
    const lease = confirmedLease();
    if (lease?.session !== session) return;
    for (let tries = 0; tries < finishTriesMax; tries++) {
      const due = dueCommits.collectLast(lease);
      if (due.length === 0) return;
      const result = await session.commit(due.map(({ commit }) => commit));
      observe({ kind: "committed", result, partitions: due.length });
      if (result !== "unknown") return;
    }
  }
}
