/** One Graph in front of those of several clouds: each tenant's requests go to its own. */
import type { Graph } from "../graph-port.ts";
import type { OpenedGraph } from "./graph-client.ts";

/** `cloudOf` may change its mind about a tenant: what is under way goes on where it began. */
export function routeByCloud(
  graphs: ReadonlyMap<string, OpenedGraph>,
  cloudOf: (tenantId: string) => string,
): OpenedGraph {
  const all = [...graphs.values()];
  const [first] = all;
  if (first === undefined) throw new Error("there is no cloud");
  if (all.length === 1) return first;
  const of = (tenantId: string): OpenedGraph => graphs.get(cloudOf(tenantId)) ?? first;
  const graph: Graph = {
    create: (tenantId, items) => of(tenantId).graph.create(tenantId, items),
    list: (tenantId) => of(tenantId).graph.list(tenantId),
    get: (tenantId, id) => of(tenantId).graph.get(tenantId, id),
    remove: (tenantId, id) => of(tenantId).graph.remove(tenantId, id),
  };
  return {
    graph,
    tokenOf: (tenantId) => of(tenantId).tokenOf(tenantId),
    forgetToken(tenantId) {
      for (const each of all) each.forgetToken(tenantId);
    },
    expiries: () => all.flatMap((each) => each.expiries()),
    async reach() {
      const silences = await Promise.all(all.map((each) => each.reach()));
      return silences.find((silence) => silence !== null) ?? null;
    },
    async close() {
      await Promise.all(all.map((each) => each.close()));
    },
  };
}
