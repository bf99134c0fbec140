/** The lease: for how long no other member can hold a session's partitions, by acknowledged commits and by heartbeats. */
import assert from "node:assert/strict";
import { disagreementMs, elapsedMs, type Moment, momentOf } from "../../../src/moment.ts";
import type { Clock, Commit, Session } from "../../../src/ports.ts";
import { createLease, isHolding, type Lease, renew } from "../../../src/registrar/ownership/lease.ts";
import type { DefineCase, Features, Member } from "./harness.ts";

const commitOf = (offset: number): Commit => ({ topic: "retry", partition: 0, offset, metadata: "" });

export function holdingCases(define: DefineCase, features: Features): void {
  if (!features.expires) return;

  define("heartbeats alone move heldUntilMs on, by when each was sent, and hold no lease", async (bench) => {
    const { clock, join } = bench;
    const session = await (await join()).session();
    const first = session.heldUntilMs();
    assert.ok(first <= clock.nowMs() + session.leaseMs, "counted from when it was sent");
    await until(clock, () => session.heldUntilMs() > first + byHeartbeatMs);
    assert.ok(session.heldUntilMs() <= clock.nowMs() + session.leaseMs);
    assert.ok(!isHolding(createLease(session), clock), "no commit was acknowledged yet");
  });

  define(
    "an acknowledged commit begins the lease, and leaves heldUntilMs to the heartbeats",
    async (bench) => {
      const { clock, join } = bench;
      const session = await (await join()).session();
      const lease = createLease(session);
      const before = session.heldUntilMs();
      await commitUnder(lease, clock, 1);
      assert.ok(isHolding(lease, clock));
      // It counts by two clocks, which disagree a little.
      assert.ok(
        session.heldUntilMs() > before - byHeartbeatMs,
        "its coordinator answered the heartbeats too",
      );
      const after = session.heldUntilMs();
      await until(clock, () => session.heldUntilMs() > after + byHeartbeatMs);
      assert.ok(isHolding(lease, clock));
    },
  );

  define(
    "without another commit the lease runs out, heartbeats or not; a commit renews it",
    async (bench) => {
      const { clock, join } = bench;
      const member = await join();
      const { session, lease, lastedMs } = await outliveByHeartbeats(member, clock);
      assert.ok(lastedMs >= session.leaseMs, "it lasted for as long as it may");
      assert.ok(clock.nowMs() < session.heldUntilMs(), "the heartbeats were answered all the while");
      await commitUnder(lease, clock, 2);
      assert.ok(isHolding(lease, clock));
    },
  );

  define("what was refused or came after the end holds nothing", async (bench) => {
    const { clock, join } = bench;
    const member = await join();
    const session = await member.session();
    const lease = createLease(session);
    await commitUnder(lease, clock, 1);
    await member.leave();
    assert.ok(!isHolding(lease, clock));
    assert.equal(session.heldUntilMs(), Number.NEGATIVE_INFINITY);
    assert.equal(await session.commit([commitOf(2)]), "superseded");
  });
}

/**
 * A lease that ran out while the heartbeats went on. On a busy machine, or where a broker moves its coordinator, a
 * heartbeat can come late, or the session end: that says nothing about the lease, and the next commit begins again.
 */
async function outliveByHeartbeats(member: Member, clock: Clock) {
  for (;;) {
    const session = await member.session();
    const lease = createLease(session);
    const sentAt = await commitUnder(lease, clock, 1);
    await until(clock, () => !isHolding(lease, clock));
    const now = momentOf(clock);
    const isHeld = !session.ended.aborted && now.monotonicMs < session.heldUntilMs();
    // A wall clock that was set meanwhile ends the lease early, as it should.
    const isWallClockSet = disagreementMs(sentAt, now) > lookMs;
    if (isHeld && !isWallClockSet) return { session, lease, lastedMs: elapsedMs(sentAt, now) };
  }
}

/** Returns when it was sent. */
async function commitUnder(lease: Lease, clock: Clock, offset: number): Promise<Moment> {
  const session: Session = lease.session;
  const sentAt = momentOf(clock);
  assert.equal(await session.commit([commitOf(offset)]), "committed");
  renew(lease, sentAt);
  return sentAt;
}

const lookMs = 20;
/** More than the two clocks disagree from one look to the next, less than is between two heartbeats. */
const byHeartbeatMs = 200;

/** Looks again as the harness's clock advances; the test's time-out bounds it. */
async function until(clock: Clock, isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise<void>((resolve) => clock.after(lookMs, resolve));
}
