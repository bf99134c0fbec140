/**
 * Mutants that no test can notice, because the changed program does the same wherever it matters. An entry that no
 * longer names a mutant is an error, so this list can't outlive the code. The lists are in equivalents/, by source folder.
 */
import { ofFlowAToI } from "./equivalents/flow-a-to-i.ts";
import { ofFlowLToW } from "./equivalents/flow-l-to-w.ts";
import { ofLedger } from "./equivalents/ledger.ts";
import { ofOutside } from "./equivalents/outside.ts";
import { ofOwnership } from "./equivalents/ownership.ts";
import { ofRegistrar } from "./equivalents/registrar.ts";
import type { Equivalent } from "./trial.ts";

const lists = [ofFlowAToI, ofFlowLToW, ofLedger, ofOwnership, ofRegistrar, ofOutside];

export const equivalents: readonly Equivalent[] = lists.flatMap((byFile) =>
  Object.entries(byFile).flatMap(([file, entries]) => entries.map((entry) => ({ file, ...entry }))),
);
