/** How far the demo is, by the worker's events: a bar on a terminal, plain lines elsewhere. */
import type { Observer, RegistrarEvent } from "../src/observer.ts";
import type { DemoPlan } from "./plan.ts";

export interface DemoProgress {
  readonly observe: Observer;
  /** Resolves once all that was planned has been seen settled. */
  readonly done: Promise<void>;
  /** Ends the bar's line. */
  finish(): void;
}

const leastBarWidth = 5;
const mostBarWidth = 30;
const usualColumns = 80;
const barEveryMs = 50;

export function demoProgress(
  plan: DemoPlan,
  output: { write(text: string): unknown; isTTY?: boolean; columns?: number },
  nowMs: () => number,
): DemoProgress {
  const registered = new Set<string>();
  const refused = new Set<string>();
  const duplicates = new Set<string>();
  const total = plan.records.length;
  const done = Promise.withResolvers<void>();
  let retries = 0;
  let shownTenths = 0;
  let shownAtMs = Number.NEGATIVE_INFINITY;

  const settled = () => registered.size + refused.size + duplicates.size;
  const text = () =>
    `${settled()} of ${total} settled: ${registered.size} registered, ${duplicates.size} duplicates, ` +
    `${refused.size} dead letters, ${retries} attempts failed`;

  /** Shorter than the line: otherwise a terminal would wrap it, and each redraw would stay. */
  function bar(share: number, columns: number): string {
    const counts =
      `${settled()}/${total}: ${registered.size} registered, ${duplicates.size} duplicates, ` +
      `${refused.size} dead letters`;
    const room = columns - 1 - counts.length - "[] ".length;
    const width = Math.max(leastBarWidth, Math.min(mostBarWidth, room));
    const filled = Math.round(share * width);
    return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${counts}`.slice(0, columns - 1);
  }

  function show(): void {
    const share = Math.min(1, settled() / total);
    if (output.isTTY) {
      if (share < 1 && nowMs() - shownAtMs < barEveryMs) return;
      shownAtMs = nowMs();
      output.write(`\r\u001b[K${bar(share, output.columns || usualColumns)}`);
    } else if (Math.floor(share * 10) > shownTenths) {
      shownTenths = Math.floor(share * 10);
      output.write(`${String(shownTenths * 10).padStart(3)} %  ${text()}\n`);
    }
  }

  return {
    done: done.promise,
    finish: () => void (output.isTTY && output.write("\n")),
    observe(event: RegistrarEvent) {
      switch (event.kind) {
        case "record-registered":
          registered.add(event.idempotencyKey);
          break;
        case "record-refused":
          refused.add(place(event.at));
          break;
        case "record-duplicate":
          duplicates.add(place(event.at));
          break;
        case "attempt-failed":
          retries += 1;
          break;
        default:
          return;
      }
      show();
      if (settled() >= total) done.resolve();
    },
  };
}

function place({ topic, partition, offset }: { topic: string; partition: number; offset: number }): string {
  return `${topic}/${partition}/${offset}`;
}
