/** What is wrong with the Graph service for a tenant at a moment, as the plan says. */
import type { GraphServerSettings } from "./graph-server.ts";
import type { Plan } from "./plan.ts";
import type { Workload } from "./workload.ts";

export function plannedTroubles(
  plan: Plan,
  workload: Workload,
  nowMs: () => number,
): Pick<GraphServerSettings, "trouble" | "defect"> {
  const { tenants } = workload;
  return {
    trouble(tenantId) {
      const now = nowMs();
      for (const { fromMs, untilMs, tenant, trouble } of plan.troubles) {
        if (now < fromMs || now >= untilMs) continue;
        if (tenant === null || tenants[tenant % tenants.length] === tenantId) return trouble;
      }
      return null;
    },
    defect(tenantId, operation, details) {
      const { defect } = plan;
      if (defect === null || nowMs() < defect.fromMs) return null;
      if (defectiveTenant(workload, defect) !== tenantId) return null;
      if (defect.kind === "blocked") return defect.kind;
      if (defect.kind !== "create-fails") return operation === "list" ? defect.kind : null;
      if (details === null) return null;
      const own = workload.identities.filter((one) => one.tenantId === tenantId);
      const failing = own[defect.pick % own.length]!.number;
      return workload.identityOf(tenantId, details) === failing ? defect.kind : null;
    },
  };
}

/** The tenant that a defect is of. */
export function defectiveTenant({ tenants }: Workload, { tenant }: NonNullable<Plan["defect"]>): string {
  return tenants[tenant % tenants.length]!;
}
