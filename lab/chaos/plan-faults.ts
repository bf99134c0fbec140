/** Which fault strikes when, by the plan's random numbers. */

import { shuffle } from "../../src/cli/samples/random.ts";
import type { Random } from "../../src/ports.ts";
import type { Bearing } from "./links.ts";
import type { ChaosOptions } from "./options.ts";
import type { Direction } from "./relay.ts";
import type { TenantChange } from "./tenant-changes.ts";
import type { Version } from "./versions.ts";

/** Of several brokers: the one that leads most partitions, or the one that coordinates the workers' group. */
export type Target = "leader" | "coordinator";

export type BrokerFault =
  | {
      readonly kind: "broker-restart";
      readonly at: number;
      readonly downMs: number;
      readonly target: Target;
      /** By SIGTERM, after which it hands over what it leads, instead of SIGKILL. */
      readonly graceful: boolean;
    }
  | { readonly kind: "broker-freeze"; readonly at: number; readonly target: Target; readonly forMs: number }
  | {
      readonly kind: "broker-cut";
      readonly at: number;
      readonly target: Target;
      readonly bearing: Bearing;
      readonly forMs: number;
    }
  | {
      readonly kind: "worker-cut";
      readonly at: number;
      readonly worker: number;
      readonly target: Target;
      readonly direction: Direction;
      readonly forMs: number;
    };

export type PlannedFault =
  | { readonly kind: "kill"; readonly at: number; readonly worker: number; readonly restartAfterMs: number }
  | { readonly kind: "freeze"; readonly at: number; readonly worker: number; readonly forMs: number }
  /** `pick`: whose, in [0, 1). */
  | {
      readonly kind: "tenant-change";
      readonly at: number;
      readonly how: TenantChange;
      readonly pick: number;
    }
  | { readonly kind: "update"; readonly at: number; readonly worker: number; readonly to: Version }
  | { readonly kind: "unclean-election"; readonly at: number; readonly regrown: boolean }
  | BrokerFault;

export interface Times {
  readonly sessionTimeoutMs: number;
  readonly settleMs: number;
  /** For so long a broker may be silent before the others count it as gone. */
  readonly brokerSessionMs: number;
}

/** What is tested. */
export interface Deployment {
  readonly workers: number;
  readonly partitionCount: number;
  readonly times: Times;
}

/** Freezes past the settle time, among those past the session time-out. */
const longFreezeShare = 0.3;
/** Restarts that strike the coordinator. The first of two or more does in any case. */
const coordinatorShare = 1 / 3;
const gracefulShare = 1 / 2;
/** By then all other faults have struck, and enough is left to be emitted. */
const uncleanElectionAt = 0.5;

type RepeatedKind =
  | "update"
  | "tenant-change"
  | "kill"
  | "freeze"
  | "broker-restart"
  | "broker-freeze"
  | "broker-cut"
  | "worker-cut";

const changes: readonly TenantChange[] = [
  "remove",
  "remove",
  "pause",
  "pause",
  "back",
  "back",
  "back",
  "bad",
];

/** Spread over the run, each at a random point of its own stretch, in random order; an unclean election comes last. */
export function planFaults(
  options: ChaosOptions,
  { workers, times }: Deployment,
  random: Random,
): PlannedFault[] {
  const repeat = (kind: RepeatedKind, count: number) => Array<RepeatedKind>(count).fill(kind);
  const kinds = shuffle(
    [
      ...repeat("kill", options.kills),
      ...repeat("freeze", options.freezes),
      ...repeat("broker-restart", options.brokerRestarts),
      ...repeat("broker-freeze", options.brokerFreezes),
      ...repeat("worker-cut", Math.ceil(options.linkCuts / 2)),
      ...repeat("broker-cut", Math.floor(options.linkCuts / 2)),
      ...repeat("tenant-change", options.tenantChanges),
      ...repeat("update", options.updates),
    ],
    random,
  );
  const share = options.uncleanElection ? uncleanElectionAt : 0.95;
  const stretch = (options.events * share) / Math.max(1, kinds.length);
  let updates = 0;
  const faults = kinds.map((kind, index): PlannedFault => {
    const at = Math.floor((index + random()) * stretch);
    const worker = Math.floor(random() * workers);
    if (kind === "kill") return { kind, at, worker, restartAfterMs: Math.floor(random() * 2_000) };
    if (kind === "update") return { kind, at, ...updateOf(updates++, workers) };
    if (kind === "tenant-change") {
      const how = changes[Math.floor(random() * changes.length)]!;
      return { kind, at, how, pick: random() };
    }
    if (kind === "freeze") return { kind, at, worker, forMs: freezeMs(times, random) };
    if (kind === "broker-restart") {
      const downMs = Math.floor(random() * 3_000);
      const first = kinds.indexOf(kind) === index;
      const target = options.brokers === 1 ? "leader" : targetOf(random, first && options.brokerRestarts > 1);
      return { kind, at, downMs, target, graceful: target === "coordinator" && random() < gracefulShare };
    }
    const forMs = Math.floor(times.brokerSessionMs + 1_000 + random() * 4_000);
    const target: Target = random() < 0.5 ? "leader" : "coordinator";
    if (kind === "broker-freeze") return { kind, at, target, forMs };
    const sends = random() < 0.5;
    if (kind === "broker-cut") return { kind, at, target, bearing: sends ? "out" : "in", forMs };
    return { kind, at, worker, target, direction: sends ? "forth" : "back", forMs };
  });
  if (!options.uncleanElection) return faults;
  const at = Math.floor(options.events * uncleanElectionAt);
  return [...faults, { kind: "unclean-election", at, regrown: random() < 0.5 }];
}

/** One worker after the other to this version; then one after the other back. */
function updateOf(index: number, workers: number): { readonly worker: number; readonly to: Version } {
  return { worker: index % workers, to: Math.floor(index / workers) % 2 === 0 ? "this" : "other" };
}

function targetOf(random: Random, isCoordinator: boolean): Target {
  return random() < coordinatorShare || isCoordinator ? "coordinator" : "leader";
}

function freezeMs({ sessionTimeoutMs, settleMs }: Times, random: Random): number {
  const past = random() < longFreezeShare ? settleMs + 2_000 : 0;
  return Math.floor(sessionTimeoutMs + past + 1_000 + random() * 2_000);
}
