/**
 * How the heap of a process that serves is kept flat under load.
 *
 * 1. V8 allocates objects of some places of the program in its old generation, when nearly all earlier objects of these places were still
 *    in use at a collection. This happens when requests come in bursts. An old object, and what it refers to (the whole request and its
 *    answer, 7 KB), is not collected before the next full collection. Each collection of the young generation then copies most of what it
 *    finds and takes ten times longer, and the process grows.
 * 2. V8 doubles the young generation, up to 128 MB, as more survives in it, and hardly ever makes it smaller. Half of that does not pay: what is
 *    in use at a time are the requests that wait for the disk. A running process can't change the limit, but it can change the growth factor.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Of the young generation, both its halves. */
const youngBytes = 32 * 1024 * 1024;

/** Call it once, before there is load: it affects only code that is compiled later. */
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
