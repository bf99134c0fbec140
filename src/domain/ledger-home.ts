/**
 * Whether the records of one partition of `connector.registered` belong there. A tenant's enrollments are looked up in its home
 * partition only, so what is registered of it elsewhere is not seen.
 *
 * 1. A record belongs into the home partition of its tenant. One that names no tenant is accepted in any partition.
 * 2. A record that belongs elsewhere is harmless if its home holds it too: the marker that `repartition` leaves says so, for all
 *    records before it and for the number of partitions that it names.
 * 3. It costs one map look-up for each record, with a tenant id that decoding has read anyway.
 */
import { homePartition } from "./murmur2.ts";
import type { LedgerEntry } from "./registered.ts";

/** Tenant id -> home partition. */
export type Homes = (tenantId: string) => number;

const homesMax = 10_000;

/** Remembered: to hash a tenant's id takes longer than to read its event's data. */
export function createHomes(partitionCount: number): Homes {
  const homes = new Map<string, number>();
  return (tenantId) => {
    const known = homes.get(tenantId);
    if (known !== undefined) return known;
    if (homes.size >= homesMax) homes.clear();
    const home = homePartition(tenantId, partitionCount);
    homes.set(tenantId, home);
    return home;
  };
}

export interface Placement {
  readonly partition: number;
  readonly partitionCount: number;
  readonly homes: Homes;
  /** Records that stand here only, and belong elsewhere. */
  misplaced: number;
  first: { readonly offset: number; readonly home: number } | null;
}

export function createPlacement(partition: number, partitionCount: number, homes: Homes): Placement {
  return { partition, partitionCount, homes, misplaced: 0, first: null };
}

/** Notes the next record of the partition. True: it belongs here. */
export function place(placement: Placement, entry: LedgerEntry, offset: number): boolean {
  const home = entry.tenantId === null ? placement.partition : placement.homes(entry.tenantId); // 1
  const belongs = home === placement.partition;
  if (entry.movedFor === placement.partitionCount) {
    placement.misplaced = 0; // 2
    placement.first = null;
  } else if (!belongs) {
    placement.misplaced++;
    placement.first ??= { offset, home };
  }
  return belongs;
}
