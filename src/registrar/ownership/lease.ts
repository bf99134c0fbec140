/**
 * INV-LEASE: the right to post, for all partitions of one session.
 *
 * 1. It counts from when the last acknowledged commit was sent: a commit is stored by the replicas under the current
 *    generation, so the coordinator that took it was the only one then. Heartbeats alone do not show that.
 * 2. Time that passed by either clock counts: the monotonic one stands still while a machine is suspended. Where the two
 *    disagree by much, in either direction, posting stops until the next acknowledged commit: a wall clock that was set
 *    back would hide a suspension.
 * 3. It also needs a recent heartbeat: commits are taken while a rebalance has begun already, which may end in others
 *    owning the partitions.
 */
import { disagreementMs, elapsedMs, type Moment, momentOf } from "../../moment.ts";
import type { Clock, Session } from "../../ports.ts";

export interface Lease {
  readonly session: Session;
  /** When the last acknowledged commit of this session was sent; null: none was. */
  renewedAt: Moment | null;
}

export function createLease(session: Session): Lease {
  return { session, renewedAt: null };
}

/** A commit of this session that was sent at `sentAt` was acknowledged. */
export function renew(lease: Lease, sentAt: Moment): void {
  if (lease.renewedAt === null || sentAt.monotonicMs > lease.renewedAt.monotonicMs) lease.renewedAt = sentAt; // 1, INV-LEASE
}

/** A commit of this session was refused: its generation is over, whatever was acknowledged before. */
export function revoke(lease: Lease): void {
  lease.renewedAt = null; // INV-LEASE
}

export function isHolding({ session, renewedAt }: Lease, clock: Clock): boolean {
  if (renewedAt === null || session.ended.aborted || clock.nowMs() >= session.heldUntilMs()) return false; // 3, INV-LEASE
  const now = momentOf(clock);
  return (
    elapsedMs(renewedAt, now) < session.leaseMs &&
    disagreementMs(renewedAt, now) < session.leaseMs * disagreementShare
  ); // 2, INV-LEASE
}

/** Is it time for another commit, so that a record that comes later need not wait for one? */
export function isDue({ session, renewedAt }: Lease, clock: Clock): boolean {
  if (renewedAt === null) return true;
  return elapsedMs(renewedAt, momentOf(clock)) >= session.leaseMs * renewAtShare;
}

/** Milliseconds until `isDue`, by the monotonic clock; Infinity where the lease can't expire. */
export function dueInMs({ session, renewedAt }: Lease, clock: Clock): number {
  if (renewedAt === null) return 0;
  return renewedAt.monotonicMs + session.leaseMs * renewAtShare - clock.nowMs();
}

const renewAtShare = 1 / 3;
/** Less than the margin that leaseMs keeps to the session time-out. */
const disagreementShare = 1 / 8;
