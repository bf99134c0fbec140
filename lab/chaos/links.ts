/** The relays in front of a cluster's ports, and which of them make up a link. */
import { type Direction, openRelay, type Relay } from "./relay.ts";

/** Of a broker to the other brokers: out, what it sends doesn't arrive there; in, what they send doesn't arrive here. */
export type Bearing = "out" | "in";

/** A way to one broker. */
export interface Route {
  readonly listener: string;
  readonly broker: number;
  /** The only broker that uses this route; null: all may. */
  readonly from: number | null;
}

export interface Links {
  /** The port to connect to instead of this one. */
  front(route: Route, port: number): Promise<number>;
  /** Each returns how to end the cut. */
  cutWorker(worker: number, broker: number, direction: Direction): () => void;
  cutBroker(broker: number, bearing: Bearing): () => void;
  /** The others can't ask this broker for its records any more; it continues with everything else. */
  cutFollowers(broker: number): () => void;
  close(): Promise<void>;
}

/** Of chaos itself: never cut. */
export const ownListener = "OWN";
const internal = "INTERNAL";
const controller = "CONTROLLER";

export function workerListener(worker: number): string {
  return `WORKER${worker + 1}`;
}

interface Fronted extends Route {
  readonly relay: Relay;
}

export function openLinks(): Links {
  const fronted: Fronted[] = [];
  const cut = (directionOf: (one: Fronted) => Direction | null) => {
    const relays: Relay[] = [];
    for (const one of fronted) {
      const direction = directionOf(one);
      if (direction === null) continue;
      one.relay.cut(direction);
      relays.push(one.relay);
    }
    return () => {
      for (const relay of relays) relay.repair();
    };
  };
  return {
    async front(route, port) {
      if (route.listener === ownListener) return port;
      const relay = await openRelay(port);
      fronted.push({ ...route, relay });
      return relay.port;
    },
    cutWorker: (worker, broker, direction) =>
      cut((one) => (one.listener === workerListener(worker) && one.broker === broker ? direction : null)),
    cutBroker: (broker, bearing) =>
      cut((one) => {
        const answers = bearing === "out" ? "back" : "forth";
        const requests = bearing === "out" ? "forth" : "back";
        if ((one.listener === internal || one.listener === controller) && one.broker === broker)
          return answers;
        return one.listener === controller && one.from === broker ? requests : null;
      }),
    cutFollowers: (broker) =>
      cut((one) => (one.listener === internal && one.broker === broker ? "forth" : null)),
    async close() {
      await Promise.all(fronted.map(({ relay }) => relay.close()));
    },
  };
}
