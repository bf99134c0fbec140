/**
 * The worker: joins the group, owns partitions, reads their records into the core, commits what settled. Only wiring, and the
 * order of the end. Reading order: partition.ts (what is held), ownership.ts (sessions), reader.ts and intake.ts (in),
 * transition.ts and flow.ts (a record's life), committer.ts (the watermark).
 */
import type { Membership, Session } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { membershipLost } from "./fault.ts";
import { createFlow } from "./flow/flow.ts";
import { createIntake } from "./flow/intake.ts";
import { createParker } from "./flow/parker.ts";
import { createReader } from "./flow/reader.ts";
import { createLedgerReader } from "./ledger/ledger-reader.ts";
import { createSnapshots } from "./ledger/snapshots.ts";
import { createCommitter } from "./ownership/committer.ts";
import { createLogWatch } from "./ownership/log-watch.ts";
import { createOwnership } from "./ownership/ownership.ts";
import { isOwned, type OwnedPartition } from "./ownership/partition.ts";
import { createPersist } from "./persist.ts";
import type { Ports } from "./ports.ts";
import type { RegistrarSettings } from "./settings.ts";
import { shutDown } from "./shut-down.ts";
import { type RegistrarStatus, statusOf } from "./status.ts";

export interface Registrar {
  /** Resolves when it has stopped: null after `stop`, else why it stopped by itself. Never rejects. */
  readonly done: Promise<Problem | null>;
  /** Begins nothing new, waits up to `drainMs` for what is in flight, commits, leaves the group. Idempotent. */
  stop(drainMs: number): Promise<void>;
  status(): RegistrarStatus;
}

const faultDrainMs = 5_000;

export function startRegistrar(ports: Ports, settings: RegistrarSettings): Registrar {
  const { log, clock, observe } = ports;
  const owned = new Map<number, OwnedPartition>();
  const ended = Promise.withResolvers<Problem | null>();
  let session: Session | null = null;
  let stopping: Promise<void> | null = null;
  const isStopping = () => stopping !== null;

  const flow = createFlow(ports, settings, {
    settled(partition) {
      parker.refill(partition);
      reader.wake(partition);
      committer.commitSoon();
    },
    commitNow: () => committer.commitNow(),
    paused: parkPausedSoon,
    fault: fail,
  });
  const pausing = new Set<OwnedPartition>();
  settings.tenants.onChange((tenantIds) => {
    if (isStopping()) return;
    const partitions = [...owned.values()];
    flow.review(tenantIds, partitions);
    for (const partition of partitions) {
      parkPausedSoon(partition);
      parker.refill(partition);
    }
  });
  const intake = createIntake(flow.core, flow.tenants);
  const parker = createParker(flow.core, flow, intake);
  const { honoursIds } = flow;
  const committer = createCommitter({ ports, settings, owned, honoursIds, onPromised: flow.promised });
  const persist = createPersist(ports, fail);
  const ledgers = createLedgerReader(ports, persist);
  const ownership = createOwnership(
    { ports, settings, owned, ledgers, persist, honoursIds },
    {
      ready: onReady,
      released: flow.released,
      lost(partition) {
        flow.lost(partition);
        reader.wake(partition);
      },
      commitUnknown: () => committer.suspendPromises(),
      fault: fail,
    },
  );
  const reader = createReader({
    ...{ ports, settings, owned, intake, parker, isStopping, fault: fail },
    onRead: () => committer.commitSoon(),
    regain: ownership.regain,
  });
  const watch = createLogWatch({ clock, log, owned, checkParked: parker.checkParked }, fail);
  const snapshots = createSnapshots({ clock, settings, owned, ledgers }, fail);
  // A turn later: a log may refuse immediately, and then everything here must be in place already.
  const joining: Promise<Membership> = Promise.resolve().then(() =>
    log.join(onSession, (reason, problem) => fail(problem ?? membershipLost(reason))),
  );

  return {
    done: ended.promise,
    stop(drainMs) {
      stopping ??= end(drainMs, null);
      return stopping;
    },
    status: () => statusOf({ log, clock, owned, flow, watch }, session, isStopping()),
  };

  function onSession(next: Session): void {
    if (isStopping()) return;
    session = next;
    ownership.begin(next);
    for (const partition of owned.values()) reader.wake(partition);
  }

  /** A turn later: what waits is in the middle of something now. */
  function parkPausedSoon(partition: OwnedPartition): void {
    if (pausing.has(partition)) return;
    pausing.add(partition);
    void Promise.resolve().then(() => {
      pausing.delete(partition);
      if (!isStopping() && isOwned(partition)) parker.parkPaused(partition);
    });
  }

  function onReady(partition: OwnedPartition): void {
    if (isStopping()) return;
    reader.start(partition);
    committer.commitSoon();
    flow.wake();
    parker.checkParked(partition);
    parker.refill(partition);
  }

  function fail(fault: Problem): void {
    if (isStopping()) return;
    observe({ kind: "fault", ...fault });
    stopping = end(faultDrainMs, fault);
  }

  async function end(drainMs: number, fault: Problem | null): Promise<void> {
    flow.stop();
    watch.stop();
    snapshots.stop();
    for (const partition of owned.values()) reader.wake(partition);
    await shutDown({ clock, flow, committer, snapshots, joining }, session, drainMs);
    ownership.dropAll();
    ended.resolve(fault);
  }
}
