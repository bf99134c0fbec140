/** What workers leave behind that are asked to stop when all has settled. */
import type { Entry } from "./history.ts";

export interface StopRun {
  readonly entries: readonly Entry[];
  /** Faults end then. */
  readonly activeMs: number;
  /** What a tenant with a defect has in doubt remains suspect. */
  readonly hasDefect: boolean;
}

const killGraceMs = 31_000;

/**
 * A clean shutdown leaves no suspects: the stored watermark is the committed offset. One whose generation ended while it
 * stopped, because another worker left, can't commit any more: its suspects are read back, which costs time and nothing else.
 */
export function checkCleanStop({ entries, activeMs, hasDefect }: StopRun): string[] {
  const last = new Map<string, Extract<Entry, { kind: "commit" }>>();
  const stopping = new Set<string>();
  const cutShort = new Set<string>();
  const problems: string[] = [];
  for (const entry of entries) {
    if (entry.kind === "commit") last.set(`${entry.topic}/${entry.partition}`, entry);
    if (entry.kind === "stopping") stopping.add(entry.by);
    if (entry.kind === "session-over" && stopping.has(entry.by)) cutShort.add(entry.by);
    if (entry.kind === "exit" && entry.text.startsWith("killed") && entry.tMs > activeMs + killGraceMs)
      problems.push(`${entry.by} was asked to stop, and did not`);
  }
  if (hasDefect) return problems;
  for (const [place, { by, offset, metadata }] of last) {
    const { a } = JSON.parse(metadata) as { a: number };
    if (a !== offset && !cutShort.has(by))
      problems.push(`${by} stopped, and left suspects in ${place}: ${offset}..${a}`);
  }
  return problems;
}
