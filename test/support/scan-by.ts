/** For logs that a test makes or wraps: EventLog.scan with the place as one object. */
import type { EventLog, ScanResult, Topic } from "../../src/ports.ts";

export interface ScanPlace {
  readonly topic: Topic;
  readonly partition: number;
  readonly from: number;
}

export type OnRecords = Parameters<EventLog["scan"]>[3];

type Scan = (place: ScanPlace, onRecords: OnRecords, signal: AbortSignal) => Promise<ScanResult>;

export function scanBy(scan: Scan): EventLog["scan"] {
  // biome-ignore lint/complexity/useMaxParams: EventLog.scan of ports.ts
  return (topic, partition, from, onRecords, signal) => scan({ topic, partition, from }, onRecords, signal);
}
