/**
 * Several runs of node:test beside each other, reported as one: what a test at the top of its file reports stands together.
 */
import { PassThrough, type Readable } from "node:stream";

interface Reported {
  readonly type: string;
  readonly data: { readonly nesting?: number };
}

/** Ends when all of them have. What a lane has begun to report is kept back until it has reported the whole test. */
export function together(lanes: readonly Readable[]): Readable {
  const all = new PassThrough({ objectMode: true });
  let left = lanes.length;
  for (const lane of lanes) {
    let begun: Reported[] = [];
    const report = (): void => {
      for (const event of begun) all.write(event);
      begun = [];
    };
    lane.on("data", (event: Reported) => {
      begun.push(event);
      if ((event.type === "test:pass" || event.type === "test:fail") && event.data.nesting === 0) report();
    });
    lane.once("error", (error) => all.destroy(error));
    lane.once("end", () => {
      report();
      left -= 1;
      if (left === 0) all.end();
    });
  }
  if (left === 0) all.end();
  return all;
}
