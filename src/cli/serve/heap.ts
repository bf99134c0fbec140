/**
 * How the heap of a process that serves is kept flat under load.
 *
 * V8 puts objects of some places of the program into its old generation at once, when nearly all that it made there were still in use at a
 * collection. Requests that come in bursts look so. An old object is not collected before the next full collection, nor is what it refers
 * to: the whole request and its answer (7 KB). Each collection of the young generation then copies most of what it finds, ten times
 * slower, and the process grows by it.
 */
import { setFlagsFromString } from "node:v8";

/** Before there is load: it counts for code that is compiled from then on. */
export function keepHeapFlat(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
