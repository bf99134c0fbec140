/**
 * Waits for the outcome of one event that is about to be stored.
 *
 * 1. It begins before the event is stored, so that no outcome is missed.
 * 2. "Registered" counts for any event of the enrollment; a refusal only if it is the refusal of this event:
 *    an earlier copy may have been refused for what is corrected now.
 */
import type { Enrollment, EnrollmentIndex } from "../../index/enrollment-index.ts";

export interface OutcomeWatch {
  /** `positionId`: where the event was stored, as a dead letter names it; null: the log does not say. */
  settled(positionId: string | null): Promise<Enrollment | null>;
  /** The wait is over: what was not settled is null. */
  stop(): void;
}

/** Null: too many wait already. */
export function watchOutcome(index: Pick<EnrollmentIndex, "whenSettled">, key: string): OutcomeWatch | null {
  const result = Promise.withResolvers<Enrollment | null>();
  const seen: Enrollment[] = [];
  let isOurs: ((found: Enrollment) => boolean) | null = null;
  let cancel = index.whenSettled(key, onSettled);
  if (cancel === null) return null;

  function onSettled(found: Enrollment): void {
    if (isOurs === null) seen.push(found);
    else if (isOurs(found)) return result.resolve(found);
    // It calls back once; there may be an outcome of another copy first.
    cancel = found.state === "registered" ? null : index.whenSettled(key, onSettled);
    if (cancel === null && found.state !== "registered") result.resolve(null);
  }

  return {
    settled(positionId) {
      // Another copy may have come since: then it waits again, but this event was refused.
      isOurs = ({ state, refused }) =>
        state === "registered" || (positionId === null ? state === "refused" : refused?.id === positionId);
      const found = seen.find(isOurs);
      if (found !== undefined) result.resolve(found);
      return result.promise;
    },
    stop() {
      cancel?.();
      cancel = null;
      result.resolve(null);
    },
  };
}
