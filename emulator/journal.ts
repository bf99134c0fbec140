/** Who keeps the objects beyond the process, if anybody does. */

import type { Stored } from "./model.ts";
import type { Call } from "./reply.ts";
import type { GraphObject } from "./resource.ts";

/** Told of each change before it is made; throws where it can't be kept, and then nothing changes. */
export interface Journal {
  created(call: Call, stored: Stored, createdCount: number): void;
  updated(call: Call, object: GraphObject): void;
  removed(call: Call, id: string): void;
  /** All objects are forgotten. */
  cleared(): void;
}
