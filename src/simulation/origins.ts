/** Which input a stored record is, wherever the worker moved it. */
import type { LogRecord } from "../ports.ts";
import type { Input } from "./workload.ts";

export function placeOf(record: Pick<LogRecord, "topic" | "partition" | "offset">): string {
  return `${record.topic}/${record.partition}/${record.offset}`;
}

/** Where it first was: its `origin` header, or here. */
export function originOf(record: LogRecord): string {
  const header = record.headers.find(([name]) => name === "origin");
  return header?.[1] ? new TextDecoder().decode(header[1]) : placeOf(record);
}

/** By `topic/partition/offset` of where the broker first stored it. Two, where the topic was made again in between. */
export type InputsByPlace = ReadonlyMap<string, readonly Input[]>;

export function inputOf(record: LogRecord, inputsAt: InputsByPlace): Input | null {
  return inputAt(originOf(record), record, inputsAt);
}

/** The input that was first stored at `place`, and is this record by its value and its headers. */
export function inputAt(place: string, record: LogRecord, inputsAt: InputsByPlace): Input | null {
  const inputs = inputsAt.get(place) ?? [];
  if (inputs.length < 2) return inputs[0] ?? null;
  return inputs.findLast((input) => isSame(record, input)) ?? inputs.at(-1)!;
}

function isSame(record: LogRecord, { record: original }: Input): boolean {
  if (!sameBytes(record.value, original.value)) return false;
  return original.headers.every(([name, value]) =>
    record.headers.some((header) => header[0] === name && sameBytes(header[1], value)),
  );
}

export function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
