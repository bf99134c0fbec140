/**
 * Runs of node:test beside each other, one a file, reported as one: what a test at the top of its file reports stands together.
 */
import { PassThrough, type Readable } from "node:stream";

interface Reported {
  readonly type: string;
  readonly data: { readonly nesting?: number };
}

export interface Limits {
  /** Files of the first lane at a time. */
  readonly ofFirst: number;
  /** Files of all lanes at a time. */
  readonly ofAll: number;
}

/**
 * Starts the files of each lane in their order, those of the first lane first, as many at a time as the limits allow. A place that one lane
 * has no file for goes to another. Ends when all of them have.
 */
export function runInLanes<F>(
  lanes: readonly (readonly F[])[],
  limits: Limits,
  start: (file: F) => Readable,
): Readable {
  const all = new PassThrough({ objectMode: true });
  const places = lanes.map((files) => ({ waiting: [...files], running: 0 }));
  const running = () => places.reduce((sum, place) => sum + place.running, 0);
  const startNext = (): void => {
    if (all.destroyed) return;
    for (const [n, place] of places.entries()) {
      const most = n === 0 ? limits.ofFirst : limits.ofAll;
      while (place.waiting.length > 0 && place.running < most && running() < limits.ofAll) {
        place.running += 1;
        reportInto(all, start(place.waiting.shift()!), () => {
          place.running -= 1;
          startNext();
        });
      }
    }
    if (running() === 0) all.end();
  };
  startNext();
  return all;
}

/** What a run has begun to report is kept back until it has reported the whole test. */
function reportInto(all: PassThrough, run: Readable, ended: () => void): void {
  let begun: Reported[] = [];
  const report = (): void => {
    for (const event of begun) all.write(event);
    begun = [];
  };
  run.on("data", (event: Reported) => {
    begun.push(event);
    if ((event.type === "test:pass" || event.type === "test:fail") && event.data.nesting === 0) report();
  });
  run.once("error", (error) => all.destroy(error));
  run.once("end", () => {
    report();
    ended();
  });
}
