/** What an enrollment that is not settled waits for, as far as its place says: the status and the console tell the same. */
import type { Position } from "../observer.ts";

/** `at`: where its record stands; null: stored, and not read by the index yet. */
export function waitingFor(at: Position | null) {
  if (at?.topic !== "retry")
    return { for: "worker", message: "It is stored; the worker has it next, or works on it." } as const;
  return {
    for: "parked",
    message:
      "It is parked in the retry topic until its tenant can continue. It is then taken up automatically.",
  } as const;
}
