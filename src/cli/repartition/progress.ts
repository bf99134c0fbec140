/** A long run says where it is, at most every two seconds, on standard error. */
import type { Clock } from "../../ports.ts";
import type { MoveProgress } from "../../repartition/move-ledger.ts";

const everyMs = 2_000;

export function throttledProgress(
  clock: Clock,
  onLine: (line: string) => void,
): (progress: MoveProgress) => void {
  let nextAtMs = clock.nowMs() + everyMs;
  return ({ phase, partition, records }) => {
    if (clock.nowMs() < nextAtMs) return;
    nextAtMs = clock.nowMs() + everyMs;
    onLine(`${phase} connector.registered: partition ${partition}, ${records} records`);
  };
}
