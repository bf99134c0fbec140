/** The header by which a parked record says that it is in doubt. */
import type { LogRecord, NewRecord } from "../../ports.ts";

const header = "in-doubt";
const yes = new TextEncoder().encode("1");

/** Was this record parked after a create of it may have been carried out? Only where only workers write is that believed. */
export function isInDoubt(record: LogRecord): boolean {
  return record.topic === "retry" && record.headers.some(([name]) => name === header);
}

/** The record as it is parked: whatever it said before, it says now what is known. */
export function parkedRecord(record: NewRecord, inDoubt: boolean): NewRecord {
  const headers = record.headers.filter(([name]) => name !== header);
  return { ...record, headers: inDoubt ? [...headers, [header, yes]] : headers }; // INV-DOUBT
}
