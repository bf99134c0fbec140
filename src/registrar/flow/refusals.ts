/** What is said of records that end as dead letters though they are valid. */
import type { Refusal } from "../../domain/refusal.ts";
import type { Life } from "../intake/stage.ts";

const hourMs = 3_600_000;

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
