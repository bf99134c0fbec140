/**
 * Counts what node:test reports. Tests are counted, suites are not, with two exceptions that would otherwise vanish
 * from the figures: a suite that was skipped as a whole counts as one skipped, one whose hook broke as one failed.
 */
import { relative } from "node:path";

/** What the tally reads of node:test's `test:pass` and `test:fail` events. */
export interface Outcome {
  readonly ok: boolean;
  readonly name: string;
  /** Where the test is declared, which may be a helper of its file. */
  readonly file: string | undefined;
  /** What was run: a test file, or a module that runs several. */
  readonly entryFile: string | undefined;
  readonly isSuite: boolean;
  readonly skip: string | boolean | undefined;
  readonly todo: string | boolean | undefined;
  /** node:test's word for the kind of failure, such as `subtestsFailed`. */
  readonly failureType: string | undefined;
}

export interface TallyOptions {
  readonly root: string;
  /** REQUIRE_KAFKA=1 -> "kafka", REQUIRE_NETNS=1 -> "netns": a skip that names one of them is a failure. */
  readonly required: readonly string[];
  /** With a name filter a file without a matching test is not a fault. */
  readonly filteredByName: boolean;
}

export interface Tally {
  add(outcome: Outcome): void;
  /** A failure outside the tests: a leaked process, a missing broker. */
  fail(problem: string): void;
  /** A line beside the counts. */
  note(line: string): void;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One line for each thing that was skipped, and for each failure that the reporter does not show. */
  readonly notes: readonly string[];
}

/** The line that `npm test` closes with. */
export function summaryLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
}

export function createTally(options: TallyOptions): Tally {
  const notes: string[] = [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const fail = (problem: string): void => {
    counts.failed += 1;
    notes.push(`failed: ${problem}`);
  };
  const skip = (where: string, reason: string): void => {
    const name = options.required.find((need) => reason.toLowerCase().includes(need));
    if (name !== undefined) {
      fail(`${where} was skipped although REQUIRE_${name.toUpperCase()}=1: ${reason}`);
      return;
    }
    counts.skipped += 1;
    notes.push(`skipped: ${where}: ${reason}`);
  };
  const add = (outcome: Outcome): void => {
    const file = outcome.file === undefined ? "?" : relative(options.root, outcome.file);
    const where = `${file} "${outcome.name}"`;
    // node:test reports the file itself as a test only when it crashed, leaked or declares none.
    const isFile = outcome.name === outcome.file;
    if (!outcome.ok) {
      if (outcome.failureType === "subtestsFailed" && outcome.isSuite) return;
      counts.failed += 1;
      if (isFile) notes.push(`failed: ${file} did not end well: see its output above`);
    } else if (isFile) {
      if (!options.filteredByName) fail(`${file} declares no test`);
    } else if (outcome.skip !== undefined && outcome.skip !== false) {
      skip(where, reasonOf(outcome.skip));
    } else if (outcome.todo !== undefined && outcome.todo !== false) {
      skip(where, `to do: ${reasonOf(outcome.todo)}`);
    } else if (!outcome.isSuite) {
      counts.passed += 1;
    }
  };
  return {
    add,
    fail,
    note: (line) => void notes.push(line),
    notes,
    get passed() {
      return counts.passed;
    },
    get failed() {
      return counts.failed;
    },
    get skipped() {
      return counts.skipped;
    },
  };
}

function reasonOf(mark: string | boolean): string {
  return typeof mark === "string" && mark !== "" ? mark : "no reason given";
}
