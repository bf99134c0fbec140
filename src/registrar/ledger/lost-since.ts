/** Is the registered topic the one that was known? As far as ids and ends show it. Pure. */
import type { TopicSurvey } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { ledgerLost } from "../fault.ts";

/** The registered topic of one partition, as a commit or a snapshot knew it. */
export interface KnownLedger {
  /** Id of the topic; null: the log has none. */
  readonly ledgerId: string | null;
  /** Where it ended at the least. */
  readonly ledgerEnd: number;
  /** How many enrollments it held at the least: what was appended counts before it was read. */
  readonly ledgerSize: number;
}

/** Null: it is. */
export function lostSince(
  partition: number,
  { id, bounds }: TopicSurvey,
  { ledgerId, ledgerEnd }: Pick<KnownLedger, "ledgerId" | "ledgerEnd">,
): Problem | null {
  if (id !== null && ledgerId !== null && id !== ledgerId)
    return ledgerLost(partition, "it was deleted and created again");
  const end = bounds[partition]?.end ?? 0;
  return end < ledgerEnd ? endsEarly(partition, ledgerEnd, end) : null; // INV-KNOWN-LOG
}

export function endsEarly(partition: number, knownEnd: number, end: number): Problem {
  return ledgerLost(partition, `it ends at ${end}, and was read to ${knownEnd} before`);
}
