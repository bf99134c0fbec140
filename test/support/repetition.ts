/**
 * `npm test -- --repeat-failed`: test files that failed are run once more, one at a time, when all others have ended. A test of real processes
 * can fail because the machine was too busy; what passes alone does not count as a failure, but it is named, since such a test should be made steady.
 */
import { relative } from "node:path";
import type { Outcome } from "./tally.ts";

/** So many files at most: where more fail, something is wrong that no repetition puts right. */
const mostFiles = 3;

/** The files to run once more; none where a failure is of no file, or of too many. */
export function filesToRepeat(outcomes: readonly Outcome[]): string[] {
  const failed = new Set(outcomes.filter(({ ok }) => !ok).map(({ entryFile }) => entryFile));
  const files = [...failed].filter((file) => file !== undefined);
  return files.length === failed.size && files.length <= mostFiles ? files : [];
}

/** What counts: of the files that were run twice the second time. */
export function afterRepetition(first: readonly Outcome[], second: readonly Outcome[]): Outcome[] {
  const repeated = new Set(second.map(({ entryFile }) => entryFile));
  return [...first.filter(({ entryFile }) => !repeated.has(entryFile)), ...second];
}

/** A line for each failure that did not come again. */
export function unsteadyNotes(root: string, first: readonly Outcome[], second: readonly Outcome[]): string[] {
  const repeated = new Set(second.map(({ entryFile }) => entryFile));
  const placeOf = ({ file, name }: Outcome) => `${relative(root, file ?? "?")} "${name}"`;
  const failedAgain = new Set(second.filter(({ ok }) => !ok).map(placeOf));
  return first
    .filter(({ ok, isSuite, entryFile }) => !ok && !isSuite && repeated.has(entryFile))
    .map(placeOf)
    .filter((place) => !failedAgain.has(place))
    .map((place) => `unsteady: ${place} failed, and not when its file was run again`);
}
