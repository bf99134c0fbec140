/** Which input a stored record is, wherever the worker moved it. */
import type { Header, LogRecord } from "../../src/ports.ts";
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

/** By `topic/partition/offset` of where the broker first stored it. Two, where the topic was made again in between. */
export type InputsByPlace = ReadonlyMap<string, readonly Input[]>;

export type Arrived = ReadonlyMap<string, number>;

/** The inputs of a run, as far as they have arrived. */
export interface KnownInputs {
  readonly inputsAt: InputsByPlace;
  /** How many inputs the enrolled topic has had at a place by now; without it, all count. */
  readonly arrived?: Arrived;
}

export function inputOf(record: LogRecord, known: KnownInputs): Input | null {
  return inputAt(originOf(record), record, known);
}

/**
 * The inputs, and their copies that a worker stored in the enrolled topic: nothing tells those from an input any more, so
 * each is one of its own, with the same intent, at its own place. At one place: in the order in which they were stored there.
 */
export function inputsAndCopies(entries: readonly Entry[], inputsAt: InputsByPlace): InputsByPlace {
  const all = new Map<string, Input[]>();
  for (const entry of entries) {
    if (entry.kind !== "stored" || entry.record.topic !== "enrolled") continue;
    const place = placeOf(entry.record);
    const earlier = all.get(place) ?? [];
    all.set(place, earlier);
    if (isCopyInEnrolled(entry)) {
      const input = inputAt(carriedOrigin(entry.record) ?? "", entry.record, { inputsAt: all });
      if (input !== null) earlier.push({ ...input });
    } else {
      earlier.push(inputsAt.get(place)!.find((input) => !earlier.includes(input))!);
    }
  }
  return all;
}

export function isCopyInEnrolled({ by, record }: Extract<Entry, { kind: "stored" }>): boolean {
  return by !== "installer" && record.topic === "enrolled";
}

/** The input that was first stored at `place`, and is this record by its value and its headers. */
export function inputAt(place: string, record: LogRecord, { inputsAt, arrived }: KnownInputs): Input | null {
  const inputs = inputsAt.get(place) ?? [];
  if (inputs.length < 2) return inputs[0] ?? null;
  const same = inputs.filter((input) => isSame(record, input));
  // The same bytes at the same place, before and after the topic was made again: what is stored now is about the newest.
  const known = inputs.slice(0, arrived?.get(place) ?? inputs.length);
  return known.findLast((input) => same.includes(input)) ?? same.at(-1) ?? inputs.at(-1)!;
}

/** By input: others that were first stored at its place as the same record, before or after the topic lost its end or was made again. */
export function sameAtItsPlace(inputsAt: InputsByPlace): ReadonlyMap<Input, readonly Input[]> {
  const others = new Map<Input, readonly Input[]>();
  for (const inputs of inputsAt.values())
    for (const input of inputs)
      others.set(
        input,
        inputs.filter((other) => other !== input && isSame(other.record, input)),
      );
  return others;
}

function isSame(record: Pick<LogRecord, "value" | "headers">, { record: original }: Input): boolean {
  return sameBytes(record.value, original.value) && keepsHeaders(record.headers, original.headers);
}

/** Headers that the worker may add to what it moves. */
const addedHeaders: ReadonlySet<string> = new Set(["origin", "in-doubt", "dead-letter"]);

export function keepsHeaders(headers: readonly Header[], original: readonly Header[]): boolean {
  const own = headers.filter(([name]) => !addedHeaders.has(name));
  return (
    own.length === original.length &&
    own.every(([name, value], index) => name === original[index]![0] && sameBytes(value, original[index]![1]))
  );
}

export function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

/** JSON of a record's value or of a header; null: it is none. */
export function parse(bytes: Uint8Array | null): unknown {
  try {
    return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
