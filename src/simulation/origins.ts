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

export function inputOf(record: LogRecord, inputAt: ReadonlyMap<string, Input>): Input | null {
  return inputAt.get(originOf(record)) ?? null;
}
