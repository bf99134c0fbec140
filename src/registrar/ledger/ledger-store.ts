/** Ledgers in the snapshot store, and how much each has grown since. Without a store there are none. */
import type { Observer } from "../../observer.ts";
import type { SnapshotStore } from "../../ports.ts";
import type { Ledger } from "./ledger.ts";
import { decodeSnapshot, encodeSnapshot } from "./ledger-snapshot.ts";

export interface LedgerStore {
  /** Null: none that can be read, or one that was made under another number of partitions. */
  load(partition: number): Promise<Ledger | null>;
  /** By how many entries since it was loaded or saved; all of them, if it never was. */
  grownBy(ledger: Ledger): number;
  save(partition: number, ledger: Ledger): Promise<void>;
}

export interface LedgerStoreParts {
  readonly snapshots?: SnapshotStore;
  readonly partitionCount: number;
  readonly observe: Observer;
}

export function createLedgerStore({ snapshots, partitionCount, observe }: LedgerStoreParts): LedgerStore {
  const sizes = new WeakMap<Ledger, number>();
  return {
    async load(partition) {
      const bytes = (await snapshots?.load(partition)) ?? null;
      const ledger = bytes === null ? null : decodeSnapshot(bytes, partitionCount);
      if (ledger !== null) sizes.set(ledger, ledger.size);
      return ledger;
    },
    grownBy: (ledger) => ledger.size - (sizes.get(ledger) ?? 0),
    async save(partition, ledger) {
      const result = await snapshots?.save(partition, encodeSnapshot(ledger, partitionCount));
      sizes.set(ledger, ledger.size);
      if (result?.ok === false)
        observe({ kind: "log-failed", operation: "save snapshot", reason: result.reason, retryInMs: 0 });
    },
  };
}
