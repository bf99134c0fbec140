/** RFC 7240: what a client would like. Of all preferences this service knows `wait`. */
import { limits } from "./limits.ts";

/** Seconds, at most the limit; null: no wait is asked for, or none that can be read, which counts as none. */
export function preferredWaitS(values: readonly string[] | undefined): number | null {
  for (const preference of (values ?? []).flatMap((value) => value.split(","))) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?$/i.exec(preference) ?? [];
    // The first one counts.
    if (seconds !== undefined) return Math.min(Number(seconds), limits.waitS);
  }
  return null;
}
