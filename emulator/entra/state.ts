/** What Entra knows of the application, its credentials, and the tenants; changeable while the emulator runs. Plain data. */

/** Whose tokens the application takes for its own: issuer and subject as they are, one audience. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** The issuer's public keys (JWK); null: those of the emulator's own managed identities. */
  readonly keys: readonly Readonly<Record<string, unknown>>[] | null;
}

/** A managed identity of the machine that asks. */
export interface ManagedIdentity {
  readonly clientId: string;
  /** The subject of its tokens. */
  readonly principalId: string;
  /** Its home: the only tenant that it has tokens for. */
  readonly tenantId: string;
}

/**
 * "consented": it has tokens. "no-consent": the application was never granted there. "disabled": it was, and is switched
 * off there. "conditional-access": a policy refuses it. "unknown": there is no such tenant in this cloud.
 */
export const tenantStates = ["consented", "no-consent", "disabled", "conditional-access", "unknown"] as const;
export type TenantState = (typeof tenantStates)[number];

/** "expired", "revoked": what becomes of any credential of this kind, though it is the right one. */
export const credentialStates = ["valid", "expired", "revoked"] as const;
export type CredentialState = (typeof credentialStates)[number];

export interface EntraState {
  readonly secret: CredentialState;
  readonly certificate: CredentialState;
  /** Secrets of the application. */
  readonly secrets: readonly string[];
  /** Its certificates, PEM. One that is a CA stands for those that it signed, where they come with their chain. */
  readonly certificates: readonly string[];
  readonly federated: readonly FederatedCredential[];
  /** The first one answers where no client id is asked for. */
  readonly identities: readonly ManagedIdentity[];
  /** By lower-case tenant id; `*`: all that are not named. */
  readonly tenants: Readonly<Record<string, TenantState>>;
}

export function tenantStateOf({ tenants }: EntraState, tenantId: string): TenantState {
  return tenants[tenantId.toLowerCase()] ?? tenants["*"] ?? "consented";
}
