/** A committer alone, over a scripted session that records the calls. */
import assert from "node:assert/strict";
import { settings } from "../../../lab/testkit/registrar-world.ts";
import { virtualTime } from "../../../lab/testkit/virtual-time.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { Commit, CommitResult, Session } from "../../../src/ports.ts";
import { enter } from "../../../src/registrar/intake/window.ts";
import { createCommitter } from "../../../src/registrar/ownership/committer.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import type { OwnedPartition } from "../../../src/registrar/ownership/partition.ts";
import type { RegistrarSettings } from "../../../src/registrar/settings.ts";
import { freshPartition } from "../fresh-partition.ts";

export const commitIntervalMs = 1_000;
export const attemptAhead = 10;

export function committerAlone(
  changes: Partial<RegistrarSettings> = {},
  { partitions = 1, leaseMs = Number.POSITIVE_INFINITY } = {},
) {
  const time = virtualTime();
  const startMs = time.nowMs();
  const events: RegistrarEvent[] = [];
  const world = {
    time,
    events,
    latencyMs: 1,
    script: [] as CommitResult[],
    sent: [] as { atMs: number; commits: readonly Commit[] }[],
    promised: [] as number[],
    delays: [] as number[],
    ended: new AbortController(),
    honoursIds: false,
    /** Timers that neither ran nor were cancelled. */
    pending: 0,
    /** When commits were sent, since the start. */
    times: () => world.sent.map(({ atMs }) => atMs - startMs),
    /** Reads this number of records of a partition. */
    read: (count: number, number = 0) => {
      const { window } = owned.get(number)!;
      return Array.from({ length: count }, () => enter(window, window.nextOffset));
    },
  };
  let inFlight = 0;
  const session = {
    leaseMs,
    heldUntilMs: () => Number.POSITIVE_INFINITY,
    ended: world.ended.signal,
    async commit(commits: readonly Commit[]) {
      assert.equal(++inFlight, 1, "one commit at a time");
      world.sent.push({ atMs: time.nowMs(), commits });
      await new Promise<void>((resolve) => time.after(world.latencyMs, resolve));
      inFlight--;
      return world.script.shift() ?? "committed";
    },
  } as Session;
  const lease = createLease(session);
  const owned = new Map(Array.from({ length: partitions }, (_, number) => [number, partitionOf(number)]));
  const clock = {
    ...time,
    after(delayMs: number, callback: () => void) {
      world.delays.push(delayMs);
      world.pending++;
      const cancel = time.after(delayMs, () => {
        world.pending--;
        callback();
      });
      return () => {
        world.pending--;
        cancel();
      };
    },
  };
  const committer = createCommitter({
    ports: { clock, random: () => 0.5, observe: (event) => events.push(event) },
    settings: { ...settings, commitIntervalMs, attemptAhead, ...changes },
    owned,
    onPromised: ({ number }) => world.promised.push(number),
    honoursIds: () => world.honoursIds,
  });
  return Object.assign(world, { session, lease, owned, committer });

  function partitionOf(number: number): OwnedPartition {
    const inherited = { settleMs: settings.settleMs, orphanMs: 0, isHonoured: false };
    return freshPartition({ number, lease, inherited });
  }
}
