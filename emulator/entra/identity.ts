/**
 * Tokens of managed identities, in both forms in which Azure's machines offer them: the metadata service (IMDS) of
 * virtual machines, and the endpoint that App Service and Container Apps name in IDENTITY_ENDPOINT.
 */

import { exchangeAudiences } from "./clouds.ts";
import { type EntraSettings, tokenFor } from "./grant.ts";
import type { EntraReply } from "./refusal.ts";
import type { ManagedIdentity } from "./state.ts";

export const imdsPath = "/metadata/identity/oauth2/token";
export const appServicePath = "/msi/token";

export interface IdentityRequest {
  readonly path: typeof imdsPath | typeof appServicePath;
  readonly query: URLSearchParams;
  /** Of the header `Metadata`; null: none. */
  readonly metadata: string | null;
  /** Of the header `X-IDENTITY-HEADER`; null: none. */
  readonly identityHeader: string | null;
}

export async function identityToken(
  settings: EntraSettings,
  wallMs: number,
  request: IdentityRequest,
): Promise<EntraReply> {
  const { path, query } = request;
  const isImds = path === imdsPath;
  if (isImds && request.metadata !== "true") return imdsRefusal("Required metadata header not specified");
  if (!isImds && request.identityHeader !== settings.identityHeader) {
    return { status: 401, body: { statusCode: 401, message: "X-IDENTITY-HEADER is missing or wrong." } };
  }
  const resource = query.get("resource");
  if (resource === null) return refusal(isImds, "The parameter resource is missing");
  const identity = identityFor(settings.state.identities, query);
  if (identity === undefined) {
    return isImds
      ? imdsRefusal("Identity not found")
      : refusal(
          false,
          "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        );
  }
  const token = exchangeAudiences.includes(resource)
    ? await exchangeToken({ settings, wallMs }, identity, resource)
    : tokenFor(settings, wallMs, { audience: resource.replace(/\/$/, ""), tenantId: identity.tenantId });
  return { status: 200, body: tokenBody(settings, wallMs, { token, identity, resource }) };
}

function identityFor(identities: readonly ManagedIdentity[], query: URLSearchParams) {
  const clientId = query.get("client_id")?.toLowerCase();
  if (clientId === undefined) return identities[0];
  return identities.find((identity) => identity.clientId.toLowerCase() === clientId);
}

/** As the metadata service writes it: numbers as text. */
function tokenBody(
  { tokenLifetimeMs }: EntraSettings,
  wallMs: number,
  { token, identity, resource }: { token: string; identity: ManagedIdentity; resource: string },
) {
  const expiresOn = Math.floor((wallMs + tokenLifetimeMs) / 1000);
  return {
    access_token: token,
    client_id: identity.clientId,
    expires_in: String(Math.floor(tokenLifetimeMs / 1000)),
    expires_on: String(expiresOn),
    not_before: String(Math.floor(wallMs / 1000)),
    resource,
    token_type: "Bearer",
  };
}

/** Issued by the identity's home tenant; an application takes it for its own where it trusts issuer and subject. */
async function exchangeToken(
  { settings, wallMs }: { readonly settings: EntraSettings; readonly wallMs: number },
  { principalId, tenantId }: ManagedIdentity,
  audience: string,
): Promise<string> {
  const [jose, { privateKey, publicJwk }] = await Promise.all([import("jose"), settings.identityKeys()]);
  return new jose.SignJWT({ tid: tenantId, oid: principalId })
    .setProtectedHeader({ alg: "RS256", kid: String(publicJwk.kid), typ: "JWT" })
    .setIssuer(issuerOf(tenantId))
    .setSubject(principalId)
    .setAudience(audience)
    .setIssuedAt(Math.floor(wallMs / 1000))
    .setNotBefore(Math.floor(wallMs / 1000))
    .setExpirationTime(Math.floor((wallMs + settings.tokenLifetimeMs) / 1000))
    .sign(privateKey);
}

/** Always Microsoft's address, wherever the emulator listens: it names the tenant. */
export function issuerOf(tenantId: string): string {
  return `https://login.microsoftonline.com/${tenantId}/v2.0`;
}

function refusal(isImds: boolean, message: string): EntraReply {
  return isImds ? imdsRefusal(message) : { status: 400, body: { statusCode: 400, message } };
}

function imdsRefusal(description: string): EntraReply {
  return { status: 400, body: { error: "invalid_request", error_description: description } };
}
