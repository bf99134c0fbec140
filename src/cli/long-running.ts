/** What `start` and `serve` have in common: how they log, and how they divide the time of a stop. */
import type { Settings } from "../config/table.ts";

/** How long the last lines wait for a slow reader. */
export const lastLinesMs = 300;

export function logFormat({ logFormat: format }: Settings): "json" | "text" {
  if (format !== "auto") return format;
  return process.stdout.isTTY ? "text" : "json";
}

/** What is in flight may take most of a stop; the rest is for the commit, for leaving and for the last lines. */
export function drainMs(shutdownTimeoutMs: number): number {
  return shutdownTimeoutMs - Math.min(1_000, shutdownTimeoutMs / 5);
}
