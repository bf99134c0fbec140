/**
 * Opens and saves ledgers: from a snapshot on where there is one, else from the log's start.
 *
 * 1. A snapshot says only what was read from the log; nothing depends on one being there. Under another number of partitions it is not
 *    believed.
 * 2. INV-KNOWN-LOG: a topic with another id, one that ends before it did, or one that holds less than was known is a fault.
 */
import type { Observer } from "../../observer.ts";
import type { EventLog, SnapshotStore, TopicSurvey } from "../../ports.ts";
import { isProblem, type Problem } from "../../problem.ts";
import { ledgerLost } from "../fault.ts";
import type { Persist } from "../persist.ts";
import type { Ledger } from "./ledger.ts";
import { createLedgerScan, type LedgerScan } from "./ledger-scan.ts";
import { createLedgerStore } from "./ledger-store.ts";
import { type KnownLedger, lostSince } from "./lost-since.ts";

export interface LedgerReader {
  /** The whole ledger of a partition as of now; null when the signal aborted first. */
  open(opening: Opening, signal: AbortSignal): Promise<Ledger | Problem | null>;
  readonly catchUp: LedgerScan["catchUp"];
  /** Saves what grew by at least `entriesMin` since it was loaded or saved. Resolves to a fault that it met. */
  save(partitions: readonly HeldLedger[], entriesMin: number, signal: AbortSignal): Promise<Problem | null>;
}

/** The ledger of a partition that this worker owns until `lost` aborts. */
export interface HeldLedger {
  readonly number: number;
  readonly ledger: Ledger;
  readonly lost: AbortController;
}

export interface Opening {
  readonly partition: number;
  /** The registered topic as it is. */
  readonly topic: TopicSurvey;
  /** As the stored commits know it. */
  readonly known: readonly (KnownLedger | null)[];
}

export interface LedgerReaderPorts {
  readonly log: EventLog;
  readonly snapshots?: SnapshotStore;
  readonly observe: Observer;
}

export function createLedgerReader(ports: LedgerReaderPorts, persist: Persist): LedgerReader {
  const { log } = ports;
  const store = createLedgerStore({ ...ports, partitionCount: log.partitionCount });
  const scan = createLedgerScan(log, persist);
  return { open, catchUp: scan.catchUp, save };

  async function open(opening: Opening, signal: AbortSignal): Promise<Ledger | Problem | null> {
    const { partition, known } = opening;
    const ledger = await openAny(opening, signal);
    if (ledger === null || isProblem(ledger)) return ledger;
    const least = Math.max(0, ...known.map((one) => one?.ledgerSize ?? 0));
    if (ledger.size >= least) return ledger;
    return ledgerLost(partition, `it holds ${ledger.size} enrollments, and held ${least} before`); // INV-KNOWN-LOG
  }

  async function openAny({ partition, topic, known }: Opening, signal: AbortSignal) {
    for (const one of known) {
      const lost = one === null ? null : lostSince(partition, topic, one); // INV-KNOWN-LOG
      if (lost !== null) return lost;
    }
    const snapshot = await store.load(partition);
    if (snapshot === null) return scan.readAll(partition, topic.id, signal);
    const { topicId, nextOffset } = snapshot;
    const lost = lostSince(partition, topic, { ledgerId: topicId, ledgerEnd: nextOffset }); // INV-KNOWN-LOG
    if (lost !== null) return lost;
    snapshot.topicId = topic.id;
    return scan.catchUp(partition, snapshot, signal);
  }

  async function save(
    partitions: readonly HeldLedger[],
    entriesMin: number,
    signal: AbortSignal,
  ): Promise<Problem | null> {
    if (ports.snapshots === undefined) return null;
    for (const { number, ledger, lost } of partitions) {
      if (lost.signal.aborted) continue;
      if (store.grownBy(ledger) < entriesMin) continue;
      const caughtUp = await scan.catchUp(number, ledger, signal); // 1
      if (caughtUp === null) return null;
      if (isProblem(caughtUp)) return caughtUp;
      await store.save(number, ledger);
    }
    return null;
  }
}
