/** The rows of an export from an index that is held still: latest first, and of one moment by their id, so that two runs agree. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Enrollment, EnrollmentIndex } from "../index/enrollment-index.ts";

export interface AuditFilter {
  /** Lower case; null: all. */
  readonly tenantIds: readonly string[] | null;
  /** By when it was registered or refused, or came; milliseconds since 1970. From inclusive, to exclusive; null: no limit. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

const pageRows = 500;

/** Holds one page, and those rows that share one millisecond. */
export async function* auditRows(index: EnrollmentIndex, filter: AuditFilter): AsyncGenerator<Enrollment> {
  const { tenantIds, sinceMs, untilMs } = filter;
  const query = {
    ...(tenantIds === null ? {} : { tenantIds }),
    ...(sinceMs === null ? {} : { sinceMs }),
    ...(untilMs === null ? {} : { untilMs }),
    limit: pageRows,
  };
  let same: Enrollment[] = [];
  let after: string | null = null;
  do {
    const page = index.search({ ...query, after });
    for (const row of page.rows) {
      if (same.length > 0 && same[0]!.atMs !== row.atMs) {
        yield* inOrder(same);
        same = [];
      }
      same.push(row);
    }
    after = page.next;
    // Others have their turn between pages.
    await nextTurn();
  } while (after !== null);
  yield* inOrder(same);
}

function inOrder(rows: Enrollment[]): Enrollment[] {
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}
