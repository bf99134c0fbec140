/**
 * Judges a finished run by its history and the workload alone. It shares no code with what it checks.
 *
 * 1. Each valid identity ends with exactly one object in Graph and one registered id, which is that object's.
 * 2. Each refused record ends with one dead-letter id and one reason, byte for byte; no other record ends there.
 * 3. Nothing is lost: no committed offset passes a record whose outcome is not stored.
 * 4. Objects of one machine are created in the order of their first records in the home partition.
 * 5. No create for a record at or after the attempt watermark that is stored at that moment.
 * 6. No create for a tenant before the Retry-After that this worker was given has passed.
 * 7. Records that were moved keep value, headers and order of things, and go where they belong.
 * 8. Nothing is created for a tenant that a worker's list does not serve, and nothing is refused for that of which an object
 *    was made.
 * 9. Losses of the log itself are not a worker's fault, but some worker stops and reports them, and none continues silently.
 */
import { checkGraph } from "./check-graph.ts";
import { checkTold, findLost } from "./check-lost.ts";
import { checkRecords } from "./check-records.ts";
import type { Residue, Run } from "./check-run.ts";
import { checkPosts } from "./check-served.ts";
import { inputsAndCopies } from "./origins.ts";

export interface CheckResult {
  readonly violations: readonly string[];
  /** Objects that a process frozen inside a create for longer than the settle time made twice. */
  readonly residue: readonly Residue[];
}

export function check(run: Run): CheckResult {
  const all = { ...run, inputsAt: inputsAndCopies(run.entries, run.inputsAt) };
  const lost = findLost(run.entries);
  const graph = checkGraph(all, lost);
  const records = checkRecords(all, graph, lost);
  return {
    violations: [...graph.violations, ...checkPosts(run), ...records, ...checkTold(run)],
    residue: graph.residue,
  };
}
