/** A real broker for tests, or why there is none. */

export interface Broker {
  readonly ok: true;
  readonly brokers: string[];
  /** What it runs on, for one line of output. */
  readonly kind: "given" | "docker" | "java";
  /** Ends the broker and removes its data. A broker that was given is left alone. */
  stop(): Promise<void>;
}

export interface OwnBroker extends Broker {
  /** Stops it in order and starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends it immediately, as by kill -9; `start` brings it back on the same port and data. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

interface NoBroker {
  readonly ok: false;
  readonly reason: string;
}

export type BrokerResult = Broker | NoBroker;

export type OwnBrokerResult = OwnBroker | NoBroker;
