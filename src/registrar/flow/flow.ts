/**
 * The way of one record through the core: events go through the table of transition.ts, and what it says is carried out by the
 * part that can (effects.ts). Nothing is decided here.
 *
 * 1. The stage is changed before anything is carried out, so that what looks at it meanwhile sees where the record stands.
 */
import type { BreakerState } from "../../policy/breaker.ts";
import { isTainted } from "../intake/stage.ts";
import type { OwnedPartition, UnsettledRecord, Work } from "../ownership/partition.ts";
import type { Ports } from "../ports.ts";
import type { RegistrarSettings } from "../settings.ts";
import { createAppender } from "./appender.ts";
import type { Core, Outside } from "./core.ts";
import { createDispatcher } from "./dispatcher.ts";
import { createEffects } from "./effects.ts";
import { createGates } from "./gates.ts";
import { createCloudsShown } from "./graph-shown.ts";
import type { LifeEvent } from "./life-events.ts";
import { createOutcomes } from "./outcomes.ts";
import { createReadBack, type ReadBack } from "./read-back.ts";
import { createTenants, type Tenants } from "./tenants.ts";
import { transition } from "./transition.ts";
import { createTurns } from "./turns.ts";

export interface Flow {
  readonly core: Core;
  readonly tenants: Tenants;
  readonly readBack: ReadBack;
  /** A commit promised more. */
  promised(partition: OwnedPartition): void;
  /** Suspects may continue. */
  released(partition: OwnedPartition): void;
  lost(partition: OwnedPartition): void;
  /** Of these tenants something may have changed: they are served, or not, or have other limits. */
  review(tenantIds: ReadonlySet<string>, partitions: readonly OwnedPartition[]): void;
  /** Looks again at outcomes that waited because the partition was not held. */
  wake(): void;
  /** No create begins any more. */
  stop(): void;
  /** Nothing is in flight to Graph or waiting to be appended. */
  isIdle(): boolean;
  /** Has Graph made an object under an id that we sent? */
  honoursIds(): boolean;
  status(): { inFlight: number; waiting: number; breaker: BreakerState; blockedTenants: readonly string[] };
}

export function createFlow(ports: Ports, settings: RegistrarSettings, outside: Outside): Flow {
  const gate = createGates(ports, settings.tenants);
  const shown = createCloudsShown(ports.observe, settings);
  const core: Core = { ports, settings, gate, shown, outside, raise };
  const appender = createAppender(ports);
  const outcomes = createOutcomes(core, appender);
  const tenants = createTenants(ports, settings);
  const turns = createTurns(core);
  const review = (work: Work) => turns.take(work, "reviewed");
  const dispatcher = createDispatcher(core, tenants, review);
  const readBack = createReadBack(core, tenants);
  const carryOut = createEffects(core, { outcomes, dispatcher, tenants, readBack, turns });

  return {
    core,
    tenants,
    readBack,
    promised: (partition) => turns.takeAll(partition.waitingForPromise, "promised"),
    released: (partition) => turns.takeAll(partition.waitingSuspects, "released"),
    lost(partition) {
      for (const works of partition.tenants.values()) for (const work of works) raise(work, { kind: "lost" });
    },
    review(tenantIds, partitions) {
      // Those that are in work are few beside those that a list may hold.
      for (const { tenantId } of tenants.queues()) {
        if (!tenantIds.has(tenantId)) continue;
        tenants.renew(tenantId);
        dispatcher.review(tenantId);
      }
      for (const partition of partitions)
        for (const [tenantId, works] of [...partition.tenants]) {
          if (!tenantIds.has(tenantId)) continue;
          partition.touched.add(tenantId);
          for (const work of [...works]) if (work.stage.at === "paused") review(work);
        }
    },
    wake: appender.wake,
    stop: dispatcher.stop,
    isIdle: () => dispatcher.inFlight() === 0 && appender.pending() === 0,
    honoursIds: shown.honoursIds,
    status: () => ({
      inFlight: dispatcher.inFlight(),
      waiting: dispatcher.waiting() + readBack.waiting(),
      breaker: gate.state(),
      blockedTenants: tenants.blocked(),
    }),
  };

  function raise(unsettled: UnsettledRecord, event: LifeEvent): void {
    const { known } = shown.of(unsettled.lane === null ? null : unsettled.enrollment.tenantId);
    const { stage, effects } = transition(unsettled.stage, event, known);
    unsettled.stage = stage; // 1
    unsettled.slot.tainted = isTainted(stage);
    for (const effect of effects) carryOut(unsettled, effect);
    noteTouched(unsettled);
  }
}

/** Of those that have records on their way: others may be any number. */
function noteTouched(unsettled: UnsettledRecord): void {
  if (unsettled.lane === null) return;
  const { tenants, touched } = unsettled.partition;
  const { tenantId } = unsettled.enrollment;
  if (tenants.has(tenantId)) touched.add(tenantId);
}
