/** As 0.1.0 reads and writes the metadata of a commit. Kept, so that a rolling update from it stays possible. */

export interface CommitMetadata {
  readonly attemptedThrough: number;
  readonly claim: string;
}

export function encodeMetadata({ attemptedThrough, claim }: CommitMetadata): string {
  return JSON.stringify({ v: 1, a: attemptedThrough, c: claim });
}

export function decodeMetadata(text: string): CommitMetadata | null {
  try {
    const { v, a, c } = JSON.parse(text) as Record<string, unknown>;
    if (v !== 1 || !Number.isSafeInteger(a) || typeof c !== "string") return null;
    return { attemptedThrough: a as number, claim: c };
  } catch {
    return null;
  }
}
