/** What every part of one run acts by: virtual time, the history that it writes, and random numbers of its own. */
import type { History } from "./history.ts";
import type { Rng } from "./rng.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimContext {
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly rng: Rng;
}

/** For a part of this name. */
export function forked(context: SimContext, name: string): SimContext {
  const { scheduler, history, rng } = context;
  return { scheduler, history, rng: rng.fork(name) };
}
