/** The brokers that a run has, and what may happen to them: one of its own, or a cluster behind relays. */

import type { Clock } from "../../src/ports.ts";
import { sleep } from "../../src/sleep.ts";
import { busiestLeader, type ClusterView, isWhole, viewCluster } from "./cluster-view.ts";
import type { ConsumerGroup } from "./lag.ts";
import { type Links, ownListener, workerListener } from "./links.ts";
import type { BrokerFault, Target } from "./plan-faults.ts";

export interface Brokers {
  readonly count: 1 | 3;
  /** host:port, for chaos itself. */
  readonly addresses: readonly string[];
  addressesOf(worker: number): readonly string[];
  /** What was done; null: it can't strike just now. */
  strike(fault: BrokerFault): Promise<string | null>;
  /** Killed, frozen or cut off, and not back yet. */
  away(): number;
  /** What did not come back. */
  readonly troubles: readonly string[];
}

/** One broker, as the test support starts it. */
export interface OneBroker {
  readonly brokers: readonly string[];
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Of several, as the test support starts them. */
export interface ClusterBroker {
  readonly id: number;
  /** By SIGKILL. */
  kill(): Promise<void>;
  /** By SIGTERM: it hands its leaderships over first. */
  stop(): Promise<void>;
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

export interface StartedCluster {
  /** By id. */
  readonly brokers: readonly ClusterBroker[];
  /** host:port of each broker's listener, as advertised. */
  addresses(listener: string): readonly string[];
}

export function oneBroker(broker: OneBroker, clock: Clock): Brokers {
  return {
    count: 1,
    addresses: broker.brokers,
    addressesOf: () => broker.brokers,
    away: () => 0,
    troubles: [],
    async strike(fault) {
      if (fault.kind !== "broker-restart") throw new Error(`one broker can't be struck by ${fault.kind}`);
      await broker.kill();
      await sleep(clock, fault.downMs, new AbortController().signal);
      await broker.start();
      return `broker killed, down for ${fault.downMs} ms, and started again`;
    },
  };
}

export interface Cluster extends Brokers {
  readonly links: Links;
  broker(id: number): ClusterBroker;
  /** Null: not available now. */
  view(): Promise<ClusterView | null>;
  /** While it is struck, nothing else strikes. */
  hold(): () => void;
}

export interface ClusterSettings extends ConsumerGroup {
  readonly clock: Clock;
}

export function cluster(
  started: StartedCluster,
  links: Links,
  { groupId, topics, clock }: ClusterSettings,
): Cluster {
  const addresses = started.addresses(ownListener);
  const troubles: string[] = [];
  let brokersAway = 0;
  let workersCut = 0;
  const broker = (id: number) => started.brokers.find((one) => one.id === id)!;
  const view = () => viewCluster(addresses, groupId, topics);
  const hold = () => {
    brokersAway++;
    return () => void brokersAway--;
  };

  async function strike(fault: BrokerFault): Promise<string | null> {
    const single = fault.kind === "worker-cut";
    if (single ? workersCut > 0 : brokersAway > 0) return null;
    const seen = await view();
    // One after the other: with two gone no append could be acknowledged.
    if (seen === null || !(single || isWhole(seen))) return null;
    const id = idOf(seen, fault.target);
    if (id < 0) return null;
    if (single) {
      workersCut++;
      const repair = links.cutWorker(fault.worker, id, fault.direction);
      clock.after(fault.forMs, () => {
        repair();
        workersCut--;
      });
      const what = fault.direction === "forth" ? "nothing gets to" : "nothing comes from";
      return `worker ${fault.worker + 1}: ${what} broker ${id} (${told[fault.target]}) for ${fault.forMs} ms`;
    }
    return strikeBroker(fault, id);
  }

  async function strikeBroker(
    fault: Exclude<BrokerFault, { kind: "worker-cut" }>,
    id: number,
  ): Promise<string> {
    const struck = broker(id);
    const name = `broker ${id} (${told[fault.target]})`;
    const release = hold();
    if (fault.kind === "broker-restart") {
      await (fault.graceful ? struck.stop() : struck.kill());
      clock.after(fault.downMs, () => {
        struck.start().then(release, (error: Error) => {
          troubles.push(`broker ${id} did not start again: ${error.message}`);
        });
      });
      return `${name} ${fault.graceful ? "stopped" : "killed"}, to be started after ${fault.downMs} ms`;
    }
    const cut = fault.kind === "broker-cut" ? links.cutBroker(id, fault.bearing) : null;
    if (cut === null) struck.freeze();
    clock.after(fault.forMs, () => {
      if (cut === null) struck.thaw();
      else cut();
      release();
    });
    if (fault.kind === "broker-freeze") return `${name} frozen for ${fault.forMs} ms`;
    const what = fault.bearing === "out" ? "nothing gets from it to" : "nothing gets to it from";
    return `${name}: ${what} the other brokers for ${fault.forMs} ms`;
  }

  return {
    count: 3,
    addresses,
    addressesOf: (worker) => started.addresses(workerListener(worker)),
    strike,
    away: () => brokersAway + workersCut,
    troubles,
    links,
    broker,
    view,
    hold,
  };
}

const told: Readonly<Record<Target, string>> = {
  leader: "leads most partitions",
  coordinator: "coordinates the group",
};

function idOf(view: ClusterView, target: Target): number {
  return target === "leader" ? busiestLeader(view) : view.coordinator;
}
