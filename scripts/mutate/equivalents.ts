/**
 * Mutants that no test can notice, because the changed program does the same wherever it matters. An entry that no
 * longer names a mutant is an error, so this list can't outlive the code.
 */
import type { Equivalent } from "./trial.ts";

export const equivalents: readonly Equivalent[] = [];
