/** The metadata string of an offset commit: the attempt watermark and who claims the partition. */

export interface CommitMetadata {
  /** No create was begun at or after this offset. */
  readonly attemptedThrough: number;
  /** Names one ownership of one partition: whoever takes it over commits another one before doing anything. */
  readonly claim: string;
}

export function encodeMetadata({ attemptedThrough, claim }: CommitMetadata): string {
  return JSON.stringify({ v: 1, a: attemptedThrough, c: claim });
}

/** Null for whatever another program committed (an operator's offset reset, for one). */
export function decodeMetadata(text: string): CommitMetadata | null {
  try {
    const { v, a, c } = JSON.parse(text) as Record<string, unknown>;
    if (v !== 1 || !Number.isSafeInteger(a) || typeof c !== "string") return null;
    return { attemptedThrough: a as number, claim: c };
  } catch {
    return null;
  }
}
