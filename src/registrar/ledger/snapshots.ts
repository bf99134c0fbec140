/** When ledgers are saved: now and then, and at the end. */
import type { Clock } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import type { RegistrarSettings } from "../settings.ts";
import type { HeldLedger, LedgerReader } from "./ledger-reader.ts";

export interface Snapshots {
  stop(): void;
  /** The last ones of a stop. */
  saveAll(signal: AbortSignal): Promise<unknown>;
}

export interface SnapshotsParts {
  readonly clock: Clock;
  readonly settings: Pick<RegistrarSettings, "snapshotIntervalMs" | "snapshotEntriesMin">;
  readonly owned: ReadonlyMap<number, HeldLedger>;
  readonly ledgers: Pick<LedgerReader, "save">;
}

/** At a stop a snapshot is worth it sooner. */
const entriesAtStopMin = 1_000;

export function createSnapshots(
  { clock, settings, owned, ledgers }: SnapshotsParts,
  onFault: (fault: Problem) => void,
): Snapshots {
  let stopped = false;
  let cancel = plan();
  return {
    stop() {
      stopped = true;
      cancel();
    },
    saveAll: (signal) =>
      ledgers.save([...owned.values()], Math.min(entriesAtStopMin, settings.snapshotEntriesMin), signal),
  };

  function plan(): () => void {
    return clock.after(settings.snapshotIntervalMs, () => void saveGrown());
  }

  async function saveGrown(): Promise<void> {
    for (const partition of owned.values()) {
      const lost = await ledgers.save([partition], settings.snapshotEntriesMin, partition.lost.signal);
      if (lost !== null) return onFault(lost);
    }
    if (!stopped) cancel = plan();
  }
}
