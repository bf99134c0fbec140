/** Everything that happened in a run, in order: what the checker judges and the trace prints. */
import type { CreateRequest, GraphObject } from "../../src/graph-port.ts";
import type { RegistrarEvent } from "../../src/observer.ts";
import type { InputTopic, LogRecord, Standing, Topic } from "../../src/ports.ts";
import type { FaultClass } from "./fault-classes.ts";
import type { ProcessSettings } from "./process-settings.ts";

export type Happening =
  /** An append took effect. `by`: the process that sent it, or "installer". */
  | { readonly kind: "stored"; readonly by: string; readonly record: LogRecord }
  /** Retention took everything below `start`. */
  | { readonly kind: "truncated"; readonly topic: Topic; readonly partition: number; readonly start: number }
  /**
   * The log lost records that it had acknowledged: all at or after `end` of one partition (a replica without them became
   * its leader), or the whole topic, which was deleted and made again under its name.
   */
  | {
      readonly kind: "log-lost";
      readonly topic: Topic;
      /** Null: the topic was made again. */
      readonly partition: number | null;
      readonly end: number;
      /** A committed offset stands beyond what is left, or the topic held records: some worker must notice. */
      readonly mustBeTold: boolean;
    }
  | {
      readonly kind: "commit";
      readonly by: string;
      readonly topic: InputTopic;
      readonly partition: number;
      readonly offset: number;
      readonly metadata: string;
    }
  | { readonly kind: "commits-expired" }
  /** A worker called Graph's create. `call` numbers the calls of a run. */
  | {
      readonly kind: "post";
      readonly by: string;
      readonly call: number;
      readonly tenantId: string;
      readonly items: readonly CreateRequest[];
    }
  /** Graph stored an object for item `item` of `call`, which had been made at `calledAtMs`. */
  | {
      readonly kind: "created";
      readonly by: string;
      readonly call: number;
      readonly item: number;
      readonly calledAtMs: number;
      readonly tenantId: string;
      readonly object: GraphObject;
    }
  /** The worker received the answer to an item. `retryAfterMs`: what a 429 asked for, by the worker's clocks. */
  | {
      readonly kind: "answered";
      readonly by: string;
      readonly call: number;
      readonly item: number;
      readonly tenantId: string;
      readonly result: number | string;
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: "worker"; readonly by: string; readonly event: RegistrarEvent }
  /** A life of a worker begins. `rate`: of its monotonic clock. */
  | {
      readonly kind: "start";
      readonly by: string;
      readonly settings: ProcessSettings;
      readonly rate: number;
    }
  /** It was asked to stop. */
  | { readonly kind: "stopping"; readonly by: string }
  /** It hears that its generation is over, and can commit nothing more under it. */
  | { readonly kind: "session-over"; readonly by: string }
  /** By which list of tenants this worker works from here on. */
  | { readonly kind: "tenants"; readonly by: string; readonly standings: ReadonlyMap<string, Standing> }
  /** It is paused from here on, until it continues or dies. */
  | { readonly kind: "paused"; readonly by: string; readonly how: "freeze" | "suspend" }
  | { readonly kind: "resumed"; readonly by: string }
  /** A fault of this class struck. */
  | { readonly kind: "struck"; readonly by: string; readonly fault: FaultClass }
  | {
      readonly kind: "exit";
      readonly by: string;
      readonly how: "crashed" | "stopped" | "fault";
      readonly text: string;
    }
  | { readonly kind: "threw"; readonly by: string; readonly text: string }
  /** Faults have stopped; from here on everything must settle. */
  | { readonly kind: "calm" }
  | { readonly kind: "note"; readonly by: string; readonly text: string };

export type Entry = Happening & { readonly tMs: number };

export interface History {
  add(happening: Happening): void;
  strike(fault: FaultClass, by: string): void;
  readonly entries: readonly Entry[];
}

export function createHistory(nowMs: () => number): History {
  const entries: Entry[] = [];
  return {
    add(happening) {
      entries.push({ tMs: nowMs(), ...happening });
    },
    strike(fault, by) {
      entries.push({ tMs: nowMs(), kind: "struck", by, fault });
    },
    entries,
  };
}
