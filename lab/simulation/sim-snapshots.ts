/** What the disk of one worker slot keeps from life to life: snapshots, which may be gone or older than the last one. */
import type { AppendResult, SnapshotStore } from "../../src/ports.ts";
import type { SimContext } from "./context.ts";
import type { SimProcess } from "./process.ts";

/** All that was ever saved, by partition, oldest first. */
export type Disk = Map<number, Uint8Array[]>;

export function createSimSnapshots(
  disk: Disk,
  process: SimProcess,
  { scheduler, rng }: Pick<SimContext, "scheduler" | "rng">,
): SnapshotStore {
  const access = <T>(operate: () => T): Promise<T> =>
    process.request(
      { kind: "other", timeoutMs: Number.POSITIVE_INFINITY, onTimeout: operate },
      (answer) => void scheduler.after(rng.int(0, 20), () => answer(operate())),
    );
  return {
    load: (partition) =>
      access(() => {
        const saved = disk.get(partition) ?? [];
        const isOld = rng.chance(0.1);
        return (isOld ? saved[rng.int(0, saved.length - 1)] : saved.at(-1)) ?? null;
      }),
    save: (partition, bytes) =>
      access((): AppendResult => {
        if (rng.chance(0.05)) return { ok: false, reason: "disk full" };
        const saved = disk.get(partition) ?? [];
        disk.set(partition, saved);
        saved.push(bytes);
        return { ok: true };
      }),
  };
}
