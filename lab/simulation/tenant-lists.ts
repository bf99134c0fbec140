/** The list of tenants that one life of a worker works by, and how its changes reach it. */
import type { Standing } from "../../src/ports.ts";
import { changesBetween } from "../../src/tenants/changes.ts";
import type { Tenant } from "../../src/tenants/definition.ts";
import { runNow, type TenantList } from "../../src/tenants/parse.ts";
import { createServed, type Served } from "../../src/tenants/served.ts";
import type { FaultClass } from "./fault-classes.ts";
import type { TenantPlan } from "./plan-tenants.ts";
import type { SimProcess } from "./process.ts";
import type { World } from "./world.ts";

const otherCloud = "us-gov";

const struckBy: Readonly<Record<Standing, FaultClass>> = {
  served: "tenant added or resumed",
  paused: "tenant paused",
  unlisted: "tenant removed",
};

/** As the file says it that this worker slot has by now. */
export function serveBy(world: World, process: SimProcess, slot: number): Served {
  const { scheduler, plan, history } = world;
  const { versions } = plan.tenants;
  const served = createServed(listFor(world, versionAt(plan.tenants, slot, scheduler.nowMs())), "global");
  say(served.list());
  for (const { reachesMs } of versions) {
    const inMs = reachesMs[slot]! - scheduler.nowMs();
    if (inMs > 0) scheduler.after(inMs, () => process.deliver(change));
  }
  return served;

  function change(): void {
    if (process.isDead()) return;
    const next = listFor(world, versionAt(plan.tenants, slot, scheduler.nowMs()));
    const changes = runNow(changesBetween(served.list(), next));
    say(next); // First: what follows happens by this list.
    served.replace(next, changes);
    for (const [standing, tenantIds] of [
      ["served", [...changes.added, ...changes.resumed]],
      ["paused", changes.paused],
      ["unlisted", changes.removed],
    ] as const)
      if (tenantIds.length > 0) history.strike(struckBy[standing], process.name);
  }

  function say(list: TenantList): void {
    const { standingOf } = createServed(list, "global");
    const standings = new Map(world.workload.tenants.map((id) => [id, standingOf(id)]));
    history.add({ kind: "tenants", by: process.name, standings });
  }
}

/** The newest that has reached this slot. */
function versionAt({ versions }: TenantPlan, slot: number, nowMs: number): number {
  return versions.findLastIndex(({ reachesMs }) => reachesMs[slot]! <= nowMs);
}

function listFor({ plan, workload }: World, version: number): TenantList {
  const { versions, otherCloudFrom, writesPer20s } = plan.tenants;
  const { standings } = versions[version]!;
  const entries: [string, Tenant][] = [];
  for (const [index, tenantId] of workload.tenants.entries()) {
    const standing = standings[index % standings.length]!;
    const limit = writesPer20s[index % writesPer20s.length] ?? null;
    const isInOther = otherCloudFrom !== null && index % 2 === 1;
    if (standing === "unlisted" || (isInOther && version < otherCloudFrom)) continue;
    entries.push([
      tenantId,
      {
        tenantId,
        ...(standing === "paused" ? { paused: true } : {}),
        ...(isInOther ? { cloud: otherCloud } : {}),
        ...(limit === null ? {} : { writesPer20s: limit }),
      },
    ]);
  }
  return new Map(entries);
}
