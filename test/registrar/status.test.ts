/** What a worker says of itself: whether it is ready, and each part that is not. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { virtualTime } from "../../lab/testkit/virtual-time.ts";
import type { EventLog, Session } from "../../src/ports.ts";
import type { Flow } from "../../src/registrar/flow/flow.ts";
import { note } from "../../src/registrar/intake/parking.ts";
import { createLedger, remember } from "../../src/registrar/ledger/ledger.ts";
import { createLease, renew } from "../../src/registrar/ownership/lease.ts";
import { type StatusParts, statusOf } from "../../src/registrar/status.ts";
import { freshPartition } from "./fresh-partition.ts";

const sessionOf = (...partitions: number[]) =>
  ({
    partitions,
    leaseMs: 9_000,
    heldUntilMs: () => Number.POSITIVE_INFINITY,
    ended: new AbortController().signal,
  }) as unknown as Session;

/** Owns these partitions, under an acknowledged commit; each has registered and parked as many records as its number says. */
function given(...numbers: number[]) {
  const time = virtualTime();
  const session = sessionOf(...numbers);
  const lease = createLease(session);
  renew(lease, { monotonicMs: time.nowMs(), wallMs: time.wallMs() });
  const owned = new Map(
    numbers.map((number) => {
      const partition = freshPartition({ number, lease, ledger: createLedger() });
      for (let n = 0; n < number; n++) {
        remember(partition.ledger, `00000000-0000-5000-8000-00000000000${n}`, `object-${n}`);
        note(partition.parking, "tenant", n);
      }
      return [number, partition] as const;
    }),
  );
  const counts = { inFlight: 3, waiting: 4, breaker: "closed", blockedTenants: ["tenant"] } as const;
  const parts: StatusParts = {
    log: {} as EventLog,
    clock: time,
    owned,
    flow: { status: () => counts } as unknown as Flow,
    watch: { lagRecords: () => 17 },
  };
  const broken = (trouble: string | null, breaker: "open" | "closed") => ({
    log: { trouble: () => trouble } as unknown as EventLog,
    flow: { status: () => ({ ...counts, breaker }) } as unknown as Flow,
  });
  return { time, session, lease, parts, broken };
}

describe("a worker is ready", () => {
  test("when it holds its partitions and nothing is wrong; it counts over all of them", () => {
    const { parts, session } = given(1, 2);
    assert.deepEqual(statusOf(parts, session, false), {
      ready: true,
      notReady: [],
      partitions: [1, 2],
      inFlight: 3,
      waiting: 4,
      parked: 3,
      ledgerEntries: 3,
      breaker: "closed",
      blockedTenants: ["tenant"],
      lagRecords: 17,
    });
  });

  test("also without any partition, as a spare", () => {
    const { parts, session } = given();
    assert.deepEqual(statusOf(parts, session, false).notReady, []);
  });

  test("also where the log can say what ails it, and nothing does", () => {
    const { parts, session, broken } = given(1);
    assert.equal(statusOf({ ...parts, ...broken(null, "closed") }, session, false).ready, true);
  });
});

describe("a worker is not ready, and says why,", () => {
  test("before its first session", () => {
    const { parts } = given();
    const { ready, notReady } = statusOf(parts, null, false);
    assert.deepEqual([ready, notReady], [false, ["group: no partitions assigned yet"]]);
  });

  test("while one of its partitions is being taken over, or is not confirmed under the new session", () => {
    const { parts } = given(1, 2);
    parts.owned.get(2)!.confirmed = false;
    const { notReady, partitions } = statusOf(parts, sessionOf(1, 2, 3), false);
    assert.deepEqual(notReady, ["partition 2: being taken over", "partition 3: being taken over"]);
    assert.deepEqual(partitions, [1]);
  });

  test("when its lease ran out", () => {
    const { parts, session, lease } = given(1, 2);
    lease.renewedAt = null;
    assert.deepEqual(statusOf(parts, session, false).notReady, [
      "group: no commit was acknowledged lately, so nothing is posted",
    ]);
  });

  test("the log first, then the group, Graph, and that it stops", () => {
    const { parts, lease, broken } = given(1);
    lease.renewedAt = null;
    const { ready, notReady } = statusOf(
      { ...parts, ...broken("broker 2 refuses connections", "open") },
      sessionOf(1, 3),
      true,
    );
    assert.deepEqual(notReady, [
      "log: broker 2 refuses connections",
      "partition 3: being taken over",
      "group: no commit was acknowledged lately, so nothing is posted",
      "graph: not answering, the circuit breaker is open",
      "worker: stopping",
    ]);
    assert.equal(ready, false);
    const before = statusOf({ ...parts, ...broken("it is away", "closed") }, null, false);
    assert.deepEqual(before.notReady.slice(0, 2), ["log: it is away", "group: no partitions assigned yet"]);
  });
});
