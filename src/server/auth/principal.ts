/** Who asks, and for which tenants they may. */

export interface Principal {
  /** For the rate, and for log lines: never the token. */
  readonly name: string;
  /** Lower-case ids. */
  readonly tenants: "all" | ReadonlySet<string>;
  /** An installer enrolls, an operator sees the console. */
  readonly role: Role | "both";
}

export type Role = "installer" | "operator";

/** Who asks on the machine itself, where no token is asked for. */
export const localPrincipal: Principal = { name: "local", tenants: "all", role: "both" };

export function mayUse({ tenants }: Principal, tenantId: string): boolean {
  return tenants === "all" || tenants.has(tenantId);
}
