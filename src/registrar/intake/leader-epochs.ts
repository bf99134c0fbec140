/**
 * Under which leader epoch the records of one input partition were written, as far as they were read: what lets the log
 * tell, at a later `seek`, whether it still holds the same records. Epochs change rarely, so only changes are kept. Pure.
 */

export interface LeaderEpochs {
  /** Rising offsets: records from each on were written under its epoch. */
  readonly changes: { readonly fromOffset: number; readonly epoch: number }[];
}

/** `epoch`: of the last record before `offset`; -1: unknown. */
export function createLeaderEpochs(offset: number, epoch: number): LeaderEpochs {
  return { changes: [{ fromOffset: offset - 1, epoch }] };
}

/** Offsets rise from call to call. */
export function noteEpoch({ changes }: LeaderEpochs, offset: number, epoch: number): void {
  if (changes.at(-1)?.epoch === epoch) return;
  changes.push({ fromOffset: offset, epoch });
  if (changes.length > changesMax) changes.shift();
}

/** Of the last record before `offset`. */
export function epochBefore({ changes }: LeaderEpochs, offset: number): number {
  return changes.findLast(({ fromOffset }) => fromOffset < offset)?.epoch ?? -1;
}

/** More changes of leaders than a window sees; further back counts as unknown. */
const changesMax = 64;
