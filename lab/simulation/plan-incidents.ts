/** What one seed has happen to workers, to the broker, and to the log. */
import type { Topic } from "../../src/ports.ts";
import type { Way } from "./path.ts";
import type { SendKind, TripWire } from "./process.ts";
import type { ProcessSettings } from "./process-settings.ts";
import type { Rng } from "./rng.ts";
import type { Access } from "./session.ts";

/** What happens to one worker slot. `wire`: between which of its actions it happens; null: immediately. */
export type Incident =
  | { readonly kind: "crash"; readonly wire: TripWire | null }
  | {
      readonly kind: "pause";
      readonly how: "freeze" | "suspend";
      readonly wire: TripWire | null;
      readonly forMs: number;
    }
  | { readonly kind: "stop" }
  | { readonly kind: "cut"; readonly from: "broker" | "Graph"; readonly way: Way; readonly forMs: number }
  /** Its requests pile up in the kernel, it is killed after `aliveMs`, and then the network is there again. */
  | {
      readonly kind: "stall";
      readonly from: "broker" | "Graph";
      readonly wire: TripWire;
      readonly aliveMs: number;
      readonly forMs: number;
    }
  /** Another process is started under its instance id, while it still runs, for a while without the broker. */
  | { readonly kind: "replace"; readonly cutMs: number }
  | { readonly kind: "jump"; readonly byMs: number }
  | { readonly kind: "lose-membership" };

/** What happens to all at the same time. */
export type WorldEvent =
  | { readonly kind: "power-loss"; readonly forMs: number }
  | {
      readonly kind: "cut-off-coordinator";
      readonly takeOverMs: number;
      readonly forMs: number;
      readonly reach: number;
    }
  | { readonly kind: "move-coordinator"; readonly awayMs: number }
  | { readonly kind: "move-leader"; readonly topic: Topic; readonly downMs: number }
  | { readonly kind: "deny"; readonly access: Access; readonly forMs: number }
  | { readonly kind: "compact" }
  /** `share`: how much of what is there is lost, from the end on. */
  | { readonly kind: "lose-end"; readonly topic: Topic; readonly share: number }
  | { readonly kind: "recreate"; readonly topic: Topic; readonly dropsCommits: boolean }
  /** What is appended to the retry topic next is acknowledged, and lost after this time: about when it is read. */
  | { readonly kind: "lose-parked"; readonly afterMs: number };

export interface At<T> {
  readonly atMs: number;
  readonly what: T;
}

export interface Scene {
  readonly workers: number;
  readonly activeMs: number;
  /** Whose time limits the lengths of pauses and cuts are measured by. */
  readonly settings: ProcessSettings;
  readonly isParking: boolean;
}

const topics: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];
const harmRate = 0.08;

export function makeIncidents(rng: Rng, scene: Scene): (At<Incident> & { readonly slot: number })[] {
  const { workers, activeMs, isParking } = scene;
  const kinds = isParking
    ? (["crash", "stop", "stop", "stop", "lose-membership"] as const)
    : allKinds.filter((kind) => rng.chance(kind === "crash" || kind === "freeze" ? 0.6 : 0.25));
  const count = kinds.length === 0 ? 0 : isParking ? rng.int(5, 25) : rng.int(0, 20);
  return Array.from({ length: count }, () => ({
    atMs: rng.int(0, activeMs),
    slot: rng.int(0, workers - 1),
    what: makeIncident(rng, rng.pick(kinds), scene),
  })).sort((a, b) => a.atMs - b.atMs);
}

const allKinds = [
  "crash",
  "freeze",
  "suspend",
  "stop",
  "cut-broker",
  "cut-graph",
  "stall",
  "jump",
  "lose-membership",
] as const;
type Kind = (typeof allKinds)[number];

function makeIncident(rng: Rng, kind: Kind, { settings }: Scene): Incident {
  const { sessionTimeoutMs, rebalanceTimeoutMs, settleMs } = settings;
  const pastSession = (): number => sessionTimeoutMs + rng.int(0, rebalanceTimeoutMs + 5_000);
  const pauseMs = (): number =>
    rng.pick([rng.int(50, sessionTimeoutMs), pastSession(), pastSession() + settleMs + rng.int(0, 30_000)]);
  const wire = (): TripWire | null => {
    if (rng.chance(0.2)) return null;
    const kind = rng.pick<SendKind | null>([null, "create", "create", "append", "commit"]);
    return { sends: kind === null ? rng.int(1, 40) : rng.int(1, 6), kind, before: rng.chance(0.5) };
  };
  switch (kind) {
    case "crash":
      return { kind, wire: wire() };
    case "freeze":
    case "suspend":
      return { kind: "pause", how: kind, wire: wire(), forMs: pauseMs() };
    case "cut-broker":
    case "cut-graph": {
      const from = kind === "cut-broker" ? "broker" : "Graph";
      const way = rng.pick<Way>(["both", "there", "back"]);
      return { kind: "cut", from, way, forMs: rng.int(500, sessionTimeoutMs * 3) };
    }
    case "stall": {
      const from = rng.pick(["Graph", "Graph", "broker"] as const);
      const sends = rng.int(1, 4);
      const aliveMs = rng.int(0, settings.requestTimeoutMs);
      const forMs = aliveMs + rng.int(0, settings.orphanMs);
      const wire = { sends, kind: from === "Graph" ? "create" : "append", before: true } as const;
      return { kind, from, wire, aliveMs, forMs };
    }
    case "jump":
      return { kind, byMs: rng.pick([-300_000, -5_000, 5_000, 86_400_000]) };
    default:
      return { kind };
  }
}

/** Another process is started under a static member's name, as where a supervisor has lost sight of a machine. */
export function makeReplacements(
  rng: Rng,
  { activeMs, settings }: Scene,
  isStatic: readonly boolean[],
): (At<Incident> & { readonly slot: number })[] {
  return isStatic.flatMap((has, slot) =>
    Array.from({ length: has ? rng.int(0, 3) : 0 }, () => {
      const cutMs = rng.pick([0, rng.int(1_000, settings.sessionTimeoutMs * 3)]);
      return { atMs: rng.int(0, activeMs), slot, what: { kind: "replace" as const, cutMs } };
    }),
  );
}

export function makeWorldEvents(rng: Rng, { activeMs, settings, isParking }: Scene): At<WorldEvent>[] {
  const { sessionTimeoutMs } = settings;
  const events: At<WorldEvent>[] = [];
  const some = (probability: number, max: number, make: () => WorldEvent): void => {
    if (!rng.chance(probability)) return;
    const count = rng.int(1, max);
    for (let i = 0; i < count; i++) events.push({ atMs: rng.int(0, activeMs), what: make() });
  };
  some(0.3, 3, () => ({ kind: "compact" }));
  if (isParking) return events;
  some(0.08, 2, () => ({ kind: "power-loss", forMs: rng.int(200, 20_000) }));
  some(0.15, 2, () => ({
    kind: "cut-off-coordinator",
    takeOverMs: rng.int(500, 10_000),
    forMs: sessionTimeoutMs * rng.int(1, 4) + rng.int(0, 20_000),
    reach: rng.pick([0.5, 1]),
  }));
  some(0.15, 3, () => ({ kind: "move-coordinator", awayMs: rng.int(50, 5_000) }));
  some(0.2, 4, () => ({ kind: "move-leader", topic: rng.pick(topics), downMs: rng.int(20, 4_000) }));
  some(0.1, 2, () => ({
    kind: "deny",
    access: rng.pick<Access>(["append", "append", "scan", "read", "commit", "positions"]),
    forMs: rng.int(500, 30_000),
  }));
  if (rng.chance(harmRate))
    events.push({ atMs: rng.int(0, Math.floor(activeMs * 0.9)), what: makeHarm(rng) });
  return events;
}

/** Drawn apart, by a generator of its own. In runs that park much it finds most to lose. */
export function makeParkedLoss(rng: Rng, { activeMs, isParking }: Scene): At<WorldEvent>[] {
  if (!rng.chance(isParking ? 0.3 : 0.04)) return [];
  const count = rng.int(1, 3);
  return Array.from({ length: count }, () => ({
    atMs: rng.int(0, Math.floor(activeMs * 0.9)),
    what: { kind: "lose-parked", afterMs: rng.pick([0, rng.int(0, 60), rng.int(0, 2_000)]) },
  }));
}

function makeHarm(rng: Rng): WorldEvent {
  const topic = rng.pick(topics);
  if (rng.chance(0.5)) return { kind: "lose-end", topic, share: rng.next() };
  return { kind: "recreate", topic, dropsCommits: rng.chance(0.5) };
}
