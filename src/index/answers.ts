/** Queries of the index, on any view of its file. */
import { isUuid } from "../domain/uuid.ts";
import type { Clock } from "../ports.ts";
import type { Enrollment, EnrollmentIndex, IndexCounts } from "./enrollment-index.ts";
import type { View } from "./file.ts";
import { states } from "./rows.ts";
import type { Store } from "./store.ts";
import { minutesKept } from "./tallies.ts";
import { tenantCounts } from "./tenant-counts.ts";
import { toEnrollment } from "./to-enrollment.ts";
import { keyBytes } from "./values.ts";

/** The answer; `nothing` while there is no view to ask. */
export type Ask = <T>(nothing: T, question: (view: View) => T) => T;

export type Answers = Pick<EnrollmentIndex, "find" | "search" | "counts" | "tenantCounts" | "minutes">;

export function createAnswers(ask: Ask, clock: Pick<Clock, "wallMs">): Answers {
  return {
    find: (id) => ask(null, ({ store }) => find(store, id)),
    search: (query) => ask({ rows: [], next: null }, ({ search }) => search.run(query)),
    counts: () =>
      ask({ waiting: 0, registered: 0, refused: 0, deadLetters: [] }, ({ store }) => counts(store)),
    tenantCounts: () => ask([], ({ store }) => tenantCounts(store)),
    minutes(count) {
      const wanted = Math.min(minutesKept, Math.max(1, Math.floor(count)));
      return ask([], ({ store }) => store.tallies.minutes(wanted, clock.wallMs()));
    },
  };
}

function find(store: Store, id: string): Enrollment | null {
  const letter = isUuid(id) ? null : store.letters.byId(id);
  if (letter === null && !isUuid(id)) return null;
  const row =
    letter === null ? store.rows.byKey(keyBytes(id.toLowerCase())) : store.rows.byNumber(letter.enrollment);
  return row === null ? null : toEnrollment(store, row);
}

function counts({ tallies, texts }: Store): IndexCounts {
  const byState = tallies.totals("state");
  const open = tallies.totals("open-letters");
  const deadLetters = [...tallies.totals("letters")]
    .map(([code, total]) => ({ code: texts.textOf(code), total, open: open.get(code) ?? 0 }))
    .sort((a, b) => b.total - a.total || (a.code < b.code ? -1 : 1));
  const of = (state: number) => byState.get(state) ?? 0;
  return {
    waiting: of(states.waiting),
    registered: of(states.registered),
    refused: of(states.refused),
    deadLetters,
  };
}
