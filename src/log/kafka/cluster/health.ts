/**
 * Whether the brokers that are needed answer. Everything that talks to them reports here; an outage is announced once it has
 * lasted for `silenceMs`, and so is its end.
 *
 * What fails is named by broker (host:port) or by partition. It counts until it works, or until it was not needed for
 * a while: a broker from which the last leader moved away is no longer needed.
 */
import type { RegistrarEvent } from "../../../observer.ts";
import type { Clock } from "../../../ports.ts";
import { type KafkajsConnection, requestsInFlight } from "./kafkajs-internals.ts";
import type { TokenEvent } from "./token-keeper.ts";

type HealthEvent = Extract<RegistrarEvent, { kind: "log-unreachable" | "log-reachable" }>;
export type LogEvent = HealthEvent | TokenEvent;

export interface Health {
  /** A connection to this broker failed. */
  brokerFailed(broker: string, reason: string): void;
  /** Not a broker: a partition, the group. Named if no broker is. */
  failed(what: string, reason: string): void;
  worked(what: string): void;
  /** Looks at requests of these that wait for their answer. Returns how to stop that. */
  watch(connections: readonly KafkajsConnection[]): () => void;
  /** Why the log does not answer, or null. */
  trouble(): string | null;
  close(): void;
}

interface Failing {
  readonly isBroker: boolean;
  readonly sinceMs: number;
  lastMs: number;
  reason: string;
}

const checkEveryMs = 500;
/** A line within 5 s: less what a look may come late. */
const silenceMs = 3_500;
const neededForMs = 6_000;
/** Their answers wait for other members of the group. */
const waitForMembers = new Set(["JoinGroup", "SyncGroup"]);

export function createHealth(clock: Clock, onEvent: (event: HealthEvent) => void): Health {
  const failing = new Map<string, Failing>();
  const watched = new Set<readonly KafkajsConnection[]>();
  let outage: { sinceMs: number; what: string } | null = null;
  let cancel: (() => void) | null = null;
  let closed = false;

  function recordFailure(
    what: string,
    failure: Omit<Failing, "lastMs" | "sinceMs">,
    sinceMs = clock.nowMs(),
  ) {
    const { reason } = failure;
    const known = failing.get(what);
    if (known) Object.assign(known, { lastMs: clock.nowMs(), reason });
    else failing.set(what, { ...failure, sinceMs, lastMs: clock.nowMs() });
    scheduleCheck();
  }

  /** What to name: a broker rather than what is missing because of it. */
  function mostSpecific(): [what: string, failing: Failing] | null {
    const all = [...failing];
    return all.find(([, { isBroker }]) => isBroker) ?? all[0] ?? null;
  }

  function scheduleCheck(): void {
    if (closed || cancel || (failing.size === 0 && watched.size === 0 && outage === null)) return;
    cancel = clock.after(checkEveryMs, () => {
      cancel = null;
      check();
      scheduleCheck();
    });
  }

  function check(): void {
    const nowMs = clock.nowMs();
    for (const connections of watched) for (const connection of connections) checkRequests(connection);
    for (const [what, { lastMs }] of failing) if (nowMs - lastMs > neededForMs) failing.delete(what);
    const longest = Math.min(...[...failing.values()].map(({ sinceMs }) => sinceMs));
    if (outage === null && nowMs - longest >= silenceMs) {
      const [what, { reason }] = mostSpecific()!;
      outage = { sinceMs: longest, what };
      onEvent({ kind: "log-unreachable", broker: what, reason });
    } else if (outage !== null && failing.size === 0) {
      const { sinceMs } = outage;
      outage = null;
      onEvent({ kind: "log-reachable", forMs: Math.round(nowMs - sinceMs) });
    }
  }

  function checkRequests(connection: KafkajsConnection): void {
    const { broker } = connection;
    let waitedMs = -1;
    let apiName = "";
    for (const request of requestsInFlight(connection)) {
      if (waitForMembers.has(request.apiName)) continue;
      const ageMs = clock.wallMs() - request.sentAtMs;
      if (ageMs > waitedMs) [waitedMs, apiName] = [ageMs, request.apiName];
    }
    if (waitedMs < 0) return;
    if (waitedMs >= silenceMs)
      recordFailure(broker, { isBroker: true, reason: `no answer to ${apiName}` }, clock.nowMs() - waitedMs);
    else if (failing.has(broker)) failing.get(broker)!.lastMs = clock.nowMs();
  }

  return {
    brokerFailed: (broker, reason) => recordFailure(broker, { isBroker: true, reason }),
    failed: (what, reason) => recordFailure(what, { isBroker: false, reason }),
    worked: (what) => void failing.delete(what),
    watch(connections) {
      watched.add(connections);
      scheduleCheck();
      return () => watched.delete(connections);
    },
    trouble() {
      if (outage === null) return null;
      const [what, { reason }] = mostSpecific() ?? [outage.what, { reason: "it answers again" }];
      const seconds = Math.round((clock.nowMs() - outage.sinceMs) / 1000);
      return `Kafka does not answer for ${seconds} s: ${what}: ${reason}`;
    },
    close() {
      closed = true;
      cancel?.();
    },
  };
}
