/** The end of a worker: what is in flight, the last commit, the goodbye, the snapshots, each within its share of the time. */

import type { Clock, Membership, Session } from "../ports.ts";
import { sleep } from "../sleep.ts";
import type { Flow } from "./flow/flow.ts";
import type { Snapshots } from "./ledger/snapshots.ts";
import type { Committer } from "./ownership/committer.ts";

export interface ShutDownParts {
  readonly clock: Clock;
  readonly flow: Pick<Flow, "isIdle">;
  readonly committer: Pick<Committer, "finish">;
  readonly snapshots: Pick<Snapshots, "saveAll">;
  readonly joining: Promise<Membership>;
}

const drainPollMs = 20;
const closingMax = 3_000;

/** Ends within `drainMs`, whatever hangs: the commit, the goodbye and the snapshots have the last part of it. */
export async function shutDown(
  { clock, flow, committer, snapshots, joining }: ShutDownParts,
  session: Session | null,
  drainMs: number,
): Promise<void> {
  const deadlineMs = clock.nowMs() + drainMs;
  const drainedMs = deadlineMs - Math.min(closingMax, drainMs / 3);
  const beforeDeadline = (work: Promise<unknown>) =>
    Promise.race([work, sleep(clock, Math.max(0, deadlineMs - clock.nowMs()))]);
  while (!flow.isIdle() && clock.nowMs() < drainedMs) await sleep(clock, drainPollMs);
  if (session !== null) await beforeDeadline(committer.finish(session));
  // Joining may hang on an unreachable broker; then the session time-out does what leaving would have done.
  await beforeDeadline(joining.then((membership) => membership.leave()));
  const late = new AbortController();
  await beforeDeadline(snapshots.saveAll(late.signal));
  late.abort();
}
