/**
 * What is wrong with the head of a request, whatever it asks for.
 *
 * A header that decides who asks, and for what, may occur only once: of two, a proxy in front may use another one than this service.
 */
import type { IncomingMessage } from "node:http";
import { type Failure, failures } from "./problem.ts";

/** By length first, which is compared faster than names. */
const single: ReadonlyMap<number, string> = new Map(
  ["Host", "Authorization", "Content-Type"].map((name) => [name.length, name.toLowerCase()]),
);

export function headFailure({ headers, rawHeaders }: IncomingMessage): Failure | null {
  let seen = "";
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (!single.has(name.length)) continue;
    const lower = name.toLowerCase();
    if (single.get(name.length) !== lower) continue;
    if (seen.includes(lower)) return failures.headerRepeated(name);
    seen += lower;
  }
  const { expect } = headers;
  return expect === undefined || /^100-continue$/i.test(expect) ? null : failures.expectation();
}
