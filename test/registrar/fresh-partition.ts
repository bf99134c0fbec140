/** A partition as a take-over makes it, for tests of what is asked of one. */
import { createParking } from "../../src/registrar/intake/parking.ts";
import { createLedger } from "../../src/registrar/ledger/ledger.ts";
import {
  createPartition,
  type OwnedPartition,
  type TakenOver,
} from "../../src/registrar/ownership/partition.ts";
import type { TakeOver } from "../../src/registrar/ownership/take-over.ts";

/** Nothing is in doubt before `startAt`. */
export function planFrom(startAt: number, suspectsBelow = startAt): TakeOver {
  return {
    startAt,
    suspectsBelow,
    attemptedThrough: suspectsBelow,
    limits: null,
    leaderEpoch: -1,
    readThrough: startAt,
    readThroughEpoch: -1,
    passed: null,
    deadLettersFrom: null,
  };
}

export function freshPartition(given: Pick<TakenOver, "lease"> & Partial<TakenOver>): OwnedPartition {
  const plans = given.plans ?? { enrolled: planFrom(0), retry: planFrom(0) };
  return createPartition({
    number: 0,
    claim: "claim",
    takenOverAtMs: 0,
    inherited: { settleMs: 0, orphanMs: 0, isHonoured: false },
    topicIds: { enrolled: null, retry: null, registered: null },
    ledger: createLedger(),
    parking: createParking(plans.retry.startAt),
    deadLettersEnd: 0,
    ...given,
    plans,
  });
}
