/** An object as it is held, and who keeps it beyond the process. */

import type { Call } from "./reply.ts";
import type { GraphObject } from "./resource.ts";

export interface Stored {
  object: GraphObject;
  /** As the client sent it: which enrollment it stands for. */
  readonly sent: GraphObject;
  readonly sequence: number;
  readonly createdAtMs: number;
}

/** Called with each change before it is made. If it can't be stored, it throws, and nothing changes. */
export interface Journal {
  created(call: Call, stored: Stored, createdCount: number): void;
  updated(call: Call, object: GraphObject): void;
  removed(call: Call, id: string): void;
  /** All objects are forgotten. */
  cleared(): void;
}
