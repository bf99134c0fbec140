/** The suspects of one partition alone, over a log in memory that hands over three records at a time and fails on request. */
import type { TestContext } from "node:test";
import { createWorld, settings } from "../../../lab/testkit/registrar-world.ts";
import type { RegistrarEvent } from "../../../src/observer.ts";
import type { NewRecord, ScanResult, Session } from "../../../src/ports.ts";
import type { Limits } from "../../../src/registrar/ownership/commit-metadata.ts";
import { createLease } from "../../../src/registrar/ownership/lease.ts";
import { createSuspects } from "../../../src/registrar/ownership/suspects.ts";
import type { TakeOver } from "../../../src/registrar/ownership/take-over.ts";
import { createPersist } from "../../../src/registrar/persist.ts";
import { scanBy } from "../../support/scan-by.ts";
import { freshPartition, planFrom } from "../fresh-partition.ts";

export const takenOverAtMs = 5_000;
export const inherited: Limits = { settleMs: 45_000, orphanMs: 60_000, isHonoured: true };

const batchMax = 3;

interface Given {
  readonly enrolled?: TakeOver;
  readonly retry?: TakeOver;
  readonly limits?: Limits;
  readonly sendId?: boolean;
  /** Ends of scans, in turn, after one record each was handed over; then they succeed. */
  readonly failing?: readonly ScanResult[];
}

export function suspectsAlone(
  t: TestContext,
  { enrolled, retry, limits = inherited, sendId = true, failing = [] }: Given,
) {
  const world = createWorld(t);
  const failures = [...failing];
  const handed: number[][] = [];
  const failed: string[] = [];
  const connected = world.log.connect(world.time, () => false).log;
  /** In batches, until the caller has enough. */
  const scan = scanBy(({ topic, partition, from }, onRecords, signal) => {
    const failure = failures.shift();
    const onBatch: typeof onRecords = (records) => {
      const all = failure === undefined ? records : records.slice(0, 1);
      for (let at = 0; at < all.length && !signal.aborted; at += batchMax) {
        const batch = all.slice(at, at + batchMax);
        handed.push(batch.map(({ offset }) => offset));
        onRecords(batch);
      }
    };
    const scanned = connected.scan(topic, partition, from, onBatch, signal);
    return scanned.then((result) => failure ?? (signal.aborted ? { ok: false, reason: "aborted" } : result));
  });
  const ended = new AbortController();
  const session = { ended: ended.signal } as Session;
  const plans = { enrolled: enrolled ?? planFrom(0), retry: retry ?? planFrom(0) };
  const partition = freshPartition({
    ...{ lease: createLease(session), takenOverAtMs, inherited: limits, plans, deadLettersEnd: 9 },
  });
  const observe = (event: RegistrarEvent) => event.kind === "log-failed" && failed.push(event.reason);
  const persist = createPersist({ clock: world.time, random: () => 0.5, observe });
  const suspects = createSuspects({ ...connected, scan }, { ...settings, sendId }, persist);
  const done = world.time.untilResolved;
  const { log } = world;
  const store = (...records: readonly NewRecord[]) => {
    for (const record of records) log.store(record);
  };
  const find = () => done(suspects.find(partition, session));
  const findDeadLetters = () => done(suspects.findDeadLetters(partition));
  const scanned = () => log.scans.map(({ topic, from }) => `${topic} ${from}`);
  return { log, store, handed, failed, ended, partition, find, findDeadLetters, scanned };
}
