/** Which input a stored record is, wherever the worker moved it. */
import type { LogRecord } from "../ports.ts";
import type { Entry } from "./history.ts";
import type { Input } from "./workload.ts";

export function placeOf(record: Pick<LogRecord, "topic" | "partition" | "offset">): string {
  return `${record.topic}/${record.partition}/${record.offset}`;
}

/** Where it was read as an input: here, or as its `origin` header says in the retry topic, where only workers write. */
export function originOf(record: LogRecord): string {
  const carried = record.topic === "retry" ? carriedOrigin(record) : null;
  return carried ?? placeOf(record);
}

/** What its last `origin` header says. */
export function carriedOrigin(record: LogRecord): string | null {
  const header = record.headers.findLast(([name]) => name === "origin");
  return header?.[1] ? new TextDecoder().decode(header[1]) : null;
}

/**
 * The inputs, and their copies that a worker stored in the enrolled topic: nothing tells those from an input any more, so
 * each counts as one, with the same intent, at its own place.
 */
export function inputsAndCopies(
  entries: readonly Entry[],
  inputAt: ReadonlyMap<string, Input>,
): ReadonlyMap<string, Input> {
  const all = new Map(inputAt);
  for (const entry of entries) {
    if (entry.kind !== "stored" || entry.record.topic !== "enrolled") continue;
    const place = placeOf(entry.record);
    const input = all.get(carriedOrigin(entry.record) ?? "");
    if (!all.has(place) && input !== undefined) all.set(place, input);
  }
  return all;
}

export function inputOf(record: LogRecord, inputAt: ReadonlyMap<string, Input>): Input | null {
  return inputAt.get(originOf(record)) ?? null;
}
