/** Whether the disk of the embedded log has room: a log that can't grow stops the worker. */
import { type Finding, warning, wrong } from "./finding.ts";

/** With less than this the next write may fail. */
const leastBytes = 4 * 2 ** 20;
/** With less than this the disk may be full soon. */
const fewBytes = 256 * 2 ** 20;

export function spaceFindings(freeBytes: number, directory: string): Finding[] {
  if (freeBytes >= fewBytes) return [];
  const text = `${(freeBytes / 2 ** 20).toFixed(1)} MiB are free for the embedded log in ${directory}`;
  const fix = `Free some space on that disk (df -h shows where), or choose another one: DATA_DIR=<directory>`;
  return [freeBytes < leastBytes ? wrong("log", { text, fix, retryable: false }) : warning("log", text, fix)];
}
