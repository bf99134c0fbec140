/** Is the registered topic the one that was known? As far as ids and ends show it. Pure. */
import type { TopicSurvey } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { ledgerLost } from "../fault.ts";
import type { KnownLog } from "../ownership/commit-metadata.ts";

/** Null: it is. */
export function lostSince(
  partition: number,
  { id, bounds }: TopicSurvey,
  { ledgerId, ledgerEnd }: Pick<KnownLog, "ledgerId" | "ledgerEnd">,
): Problem | null {
  if (id !== null && ledgerId !== null && id !== ledgerId)
    return ledgerLost(partition, "it was deleted and created again");
  const end = bounds[partition]?.end ?? 0;
  return end < ledgerEnd ? endsEarly(partition, ledgerEnd, end) : null; // INV-KNOWN-LOG
}

export function endsEarly(partition: number, knownEnd: number, end: number): Problem {
  return ledgerLost(partition, `it ends at ${end}, and was read to ${knownEnd} before`);
}
