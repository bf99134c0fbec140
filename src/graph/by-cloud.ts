/**
 * One Graph in front of those of several clouds: each tenant's requests go to its own. One that no tenant was in before is
 * opened with the first request for it.
 */
import type { Graph } from "../graph-port.ts";
import type { OpenedGraph } from "./graph-client.ts";

/** `cloudOf` may later name another cloud for a tenant; what is under way continues in the old one. `first`: opened now. */
export function routeByCloud(
  open: (cloud: string) => OpenedGraph,
  cloudOf: (tenantId: string) => string,
  first: readonly string[],
): OpenedGraph {
  const graphs = new Map(first.map((cloud) => [cloud, open(cloud)]));
  const all = () => [...graphs.values()];
  const of = (tenantId: string): OpenedGraph => {
    const cloud = cloudOf(tenantId);
    const opened = graphs.get(cloud) ?? open(cloud);
    graphs.set(cloud, opened);
    return opened;
  };
  const graph: Graph = {
    create: (tenantId, items) => of(tenantId).graph.create(tenantId, items),
    prepare: (tenantId) => of(tenantId).graph.prepare?.(tenantId),
    list: (tenantId) => of(tenantId).graph.list(tenantId),
    get: (tenantId, id) => of(tenantId).graph.get(tenantId, id),
    remove: (tenantId, id) => of(tenantId).graph.remove(tenantId, id),
  };
  return {
    graph,
    tokenOf: (tenantId) => of(tenantId).tokenOf(tenantId),
    forgetToken(tenantId) {
      for (const each of all()) each.forgetToken(tenantId);
    },
    expiries: () => all().flatMap((each) => each.expiries()),
    async reach() {
      const silences = await Promise.all(all().map((each) => each.reach()));
      return silences.find((silence) => silence !== null) ?? null;
    },
    async close() {
      await Promise.all(all().map((each) => each.close()));
    },
  };
}
