/** What an emulator has seen, for people and for tests. */

import { readDateTimeOffset } from "./date-time.ts";
import { type Model, sentOf } from "./model.ts";
import type { GraphObject } from "./resource.ts";

/** Operation, then status (or what became of the connection), then how often. A batch's items count as well. */
export type RequestCounts = Record<string, Record<string, number>>;

interface DuplicateObjects {
  readonly tenantId: string;
  /** Ids of objects that stand for one enrollment. */
  readonly ids: readonly string[];
}

export interface EmulatorStats {
  readonly requests: RequestCounts;
  /** Creates that took effect. */
  readonly createdCount: number;
  readonly objectCount: number;
  /** Objects beyond the first of each enrollment. */
  readonly duplicateObjectCount: number;
  readonly duplicates: readonly DuplicateObjects[];
}

export function countRequest(counts: RequestCounts, operation: string, result: string | number): void {
  counts[operation] ??= {};
  const results = counts[operation];
  results[result] = (results[result] ?? 0) + 1;
}

export function statsOf(model: Model, requests: RequestCounts): EmulatorStats {
  // What a server makes of the values must not make two enrollments one.
  const inventory = sentOf(model);
  const duplicates = Object.entries(inventory).flatMap(([tenantId, objects]) =>
    duplicatesIn(tenantId, objects),
  );
  return {
    requests,
    createdCount: model.createdCount,
    objectCount: Object.values(inventory).reduce((sum, objects) => sum + objects.length, 0),
    duplicateObjectCount: duplicates.reduce((sum, duplicate) => sum + duplicate.ids.length - 1, 0),
    duplicates,
  };
}

/** Same machine (whatever its case), same connector, same instant of enrollment. */
function duplicatesIn(tenantId: string, objects: readonly GraphObject[]): DuplicateObjects[] {
  const byEnrollment = Map.groupBy(objects, (object) => {
    const instant = readDateTimeOffset(object.enrollmentDateTime)?.instant ?? object.enrollmentDateTime;
    return JSON.stringify([object.machineName.toLowerCase().toUpperCase(), object.connectorName, instant]);
  });
  return [...byEnrollment.values()]
    .filter((same) => same.length > 1)
    .map((same) => ({ tenantId, ids: same.map((object) => object.id) }));
}
