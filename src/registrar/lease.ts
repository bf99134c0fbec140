/**
 * The right to post, for all partitions of one session.
 *
 * 1. It counts from when the last acknowledged commit was sent: a commit is stored by a majority of replicas under the
 *    current generation, so until the session time-out has passed since then nobody else can have been given a partition.
 * 2. Time that passed by either clock counts: the monotonic one stands still while a machine is suspended, the wall
 *    clock may be set back. Where the wall clock ran ahead, posting stops until the next acknowledged commit.
 */
import { elapsedMs, type Moment, momentOf } from "../moment.ts";
import type { Clock, Session } from "../ports.ts";

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
  if (lease.renewedAt === null || sentAt.monotonicMs > lease.renewedAt.monotonicMs) lease.renewedAt = sentAt; // 1
}

export function isHolding({ session, renewedAt }: Lease, clock: Clock): boolean {
  if (renewedAt === null || session.ended.aborted) return false;
  return elapsedMs(renewedAt, momentOf(clock)) < session.leaseMs; // 2
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
