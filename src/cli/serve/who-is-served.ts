/** The tenants of this process, as the HTTP service asks for them. */
import type { TenantsOfService } from "../../compose/service.ts";
import type { Tenants } from "../../compose/tenants.ts";
import type { Settings } from "../../config/table.ts";

/** Without a list of them, which tenants are served is the workers' affair. */
export function whoIsServed(settings: Settings, { served }: Tenants): TenantsOfService {
  if (settings.tenantsFile === null && settings.allowedTenants.length === 0)
    return { isTenantAllowed: () => true, tenantsServed: () => null };
  return {
    isTenantAllowed: (tenantId) => served.standingOf(tenantId) !== "unlisted",
    tenantsServed: () =>
      [...served.list().keys()].map((tenantId) => ({
        tenantId,
        isPaused: served.standingOf(tenantId) === "paused",
      })),
  };
}
