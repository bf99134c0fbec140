/** What is said of records that end as dead letters though they are valid. */
import type { Refusal } from "../../domain/refusal.ts";
import type { Life, Past } from "../intake/stage.ts";
import type { Rules } from "./doubt.ts";

const hourMs = 3_600_000;
const vagueTries = 3;

/** Null: it may be posted again. */
export function finalRefusal(
  { spent, vagueRefusals }: Past,
  { maxAttempts }: Pick<Rules, "maxAttempts">,
): Refusal | null {
  if (vagueRefusals.length >= vagueTries) {
    const message = `Graph refused it ${vagueTries} times without a reason: ${vagueRefusals.at(-1)}`;
    return { code: "graph-400", message, pointers: [] };
  }
  if (spent < maxAttempts) return null;
  const message = `Graph failed ${spent} times on this record while others of its tenant succeeded.`;
  return { code: "attempts-exhausted", message, pointers: [] };
}

export function blockedRefusal({ doubt }: Life, waitedMs: number, detail: string): Refusal {
  const blocked = `Its tenant stayed blocked for ${Math.round(waitedMs / hourMs)} h: ${detail}`;
  const message =
    doubt === null
      ? blocked
      : `An object of it may exist in Graph: what became of a create could not be looked up. ${blocked}`;
  return { code: "tenant-blocked", message, pointers: [] };
}

/** As domain/decode.ts says it of a record whose tenant was never served. */
export const unlistedRefusal: Refusal = {
  code: "tenant-not-allowed",
  message: "Its tenant is not among those allowed. Allow it in the configuration, then replay.",
  pointers: ["/tenantid"],
};
