/** Everything that happened in a run, in order: what the checker judges and the trace prints. */
import type { CreateRequest, GraphObject, InputTopic, LogRecord, RegistrarEvent, Topic } from "../ports.ts";

export type Happening =
  /** An append took effect. `by`: the process that sent it, or "installer". */
  | { readonly kind: "stored"; readonly by: string; readonly record: LogRecord }
  | { readonly kind: "truncated"; readonly topic: Topic; readonly partition: number; readonly start: number }
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
  readonly entries: readonly Entry[];
}

export function createHistory(nowMs: () => number): History {
  const entries: Entry[] = [];
  return {
    add(happening) {
      entries.push({ tMs: nowMs(), ...happening });
    },
    entries,
  };
}
