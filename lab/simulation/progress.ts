/**
 * Is there anything left to wait for? In most runs: until every committed offset stands at its end. If one tenant
 * has a permanent defect, its records may never settle; then: until all records of the others have their outcome.
 */

import { defectiveTenant } from "./graph-troubles.ts";
import { carriedOrigin, isCopyInEnrolled, parse, placeOf } from "./origins.ts";
import type { Input } from "./workload.ts";
import type { World } from "./world.ts";

export function createProgress(world: World): () => boolean {
  const { plan, broker } = world;
  if (plan.defect === null) return () => world.isCalm() && world.hasAllArrived() && broker.isAllCommitted();
  const left = createLeft(world, defectiveTenant(world.workload, plan.defect));
  return () => world.isCalm() && world.hasAllArrived() && left() === 0;
}

/** How many identities, and bad records, of the other tenants have no outcome yet. */
function createLeft({ workload, history, inputsAt }: World, defective: string): () => number {
  const identities = new Set(
    workload.identities.filter(({ tenantId }) => tenantId !== defective).map(({ number }) => number),
  );
  const bad = new Set(workload.inputs.filter(({ intent }) => intent.kind === "bad"));
  const posts = new Map<number, readonly (number | null)[]>();
  const identityOfObject = new Map<string, number>();
  let seen = 0;

  /** Copies in the enrolled topic, by place: what is said about them is said about the input that they were made of. */
  const copies = new Map<string, readonly Input[]>();
  const inputsOf = (place: string): readonly Input[] => copies.get(place) ?? inputsAt.get(place) ?? [];

  const settleDead = (place: string): void => {
    for (const input of inputsOf(place)) {
      if (input.intent.kind === "valid") identities.delete(input.intent.identity);
      else bad.delete(input);
    }
  };
  return () => {
    for (; seen < history.entries.length; seen++) {
      const entry = history.entries[seen]!;
      if (entry.kind === "post") {
        const of = entry.items.map(({ details }) => workload.identityOf(entry.tenantId, details));
        posts.set(entry.call, of);
      } else if (entry.kind === "created") {
        const identity = posts.get(entry.call)?.[entry.item];
        if (identity != null) identityOfObject.set(entry.object.id, identity);
      } else if (entry.kind === "stored" && isCopyInEnrolled(entry)) {
        copies.set(placeOf(entry.record), inputsOf(carriedOrigin(entry.record) ?? ""));
      } else if (entry.kind === "stored" && entry.record.topic === "registered") {
        const { data } = parse(entry.record.value) as { data: { id: string } };
        identities.delete(identityOfObject.get(data.id) ?? -1);
      } else if (entry.kind === "stored" && entry.record.topic === "dlq") {
        const reason = entry.record.headers.find(([name]) => name === "dead-letter")?.[1] ?? null;
        settleDead((parse(reason) as { id: string }).id);
      }
    }
    return identities.size + bad.size;
  };
}
