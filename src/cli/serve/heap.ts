/**
 * How the heap of a process that serves is kept flat under load.
 *
 * 1. V8 puts objects of some places of the program into its old generation at once, when nearly all that it made there were still in use at
 *    a collection. Requests that come in bursts look so. An old object is not collected before the next full collection, nor is what it
 *    refers to: the whole request and its answer (7 KB). Each collection of the young generation then copies most of what it finds, ten times
 *    slower, and the process grows by it.
 * 2. V8 doubles the young generation, up to 128 MB, as more survives in it, and hardly ever makes it smaller. Half of that does not pay: what is
 *    in use at a time are the requests that wait for the disk. Its limit can't be changed in a running process, by how much it grows can.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Of the young generation, both its halves. */
const youngBytes = 32 * 1024 * 1024;

/** Before there is load: it counts for code that is compiled from then on. Once in a process. */
export function keepHeapFlat(): void {
  setFlagsFromString("--no-allocation-site-pretenuring"); // 1
  let grows = true;
  const look = () => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
    const mayGrow = young === undefined || young.space_size < youngBytes;
    if (mayGrow !== grows) setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`); // 2
    grows = mayGrow;
  };
  look();
  new PerformanceObserver(look).observe({ entryTypes: ["gc"] });
}
