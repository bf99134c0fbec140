import { Buffer } from "node:buffer";
import type { NewRecord, Topic } from "../../../src/ports.ts";

export const recordsPerCall = 12;

export function recordOfText(topic: Topic, partition: number, value: string): NewRecord {
  return { topic, partition, key: null, value: Buffer.from(value), headers: [["n", Buffer.from("1")]] };
}

/** One append over all three partitions: 4 records each, about 500 bytes a record. */
export function callRecords(call: number): NewRecord[] {
  return Array.from({ length: recordsPerCall }, (_, index) =>
    recordOfText("registered", index % 3, `${call} ${index} ${"x".repeat(500)}`),
  );
}

/** Which call a record came from. */
export function callOf(value: Uint8Array | null): number {
  return Number(Buffer.from(value!).toString("utf8").split(" ")[0]);
}
