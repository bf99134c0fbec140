/** Lists of tenants for tests, and one that changes as a tenants file does. */
import { changesBetween } from "../../src/tenants/changes.ts";
import type { Tenant } from "../../src/tenants/definition.ts";
import { runNow, type TenantList } from "../../src/tenants/parse.ts";
import { createServed } from "../../src/tenants/served.ts";

function listOf(...tenants: readonly (string | Tenant)[]): TenantList {
  return new Map(
    tenants.map((one) => {
      const tenant = typeof one === "string" ? { tenantId: one } : one;
      return [tenant.tenantId, tenant];
    }),
  );
}

/** `set` replaces the list. */
export function tenantsOf(...tenants: readonly (string | Tenant)[]) {
  const served = createServed(listOf(...tenants), "global");
  const set = (...next: readonly (string | Tenant)[]) =>
    served.replace(listOf(...next), runNow(changesBetween(served.list(), listOf(...next))));
  return { served, set };
}
