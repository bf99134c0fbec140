/** The parts of Entra ID that a client-credentials client calls: where its endpoints are, and the grant. */

import { signToken, type TokenKeys } from "./access-token.ts";
import { checkAssertion } from "./assertion.ts";
import type { IdentityKeys } from "./identity-keys.ts";
import {
  type EntraCall,
  type EntraReply,
  invalidClient,
  type Refusal,
  refuse,
  unknownTenant,
} from "./refusal.ts";
import { type EntraState, type TenantState, tenantStateOf } from "./state.ts";

export interface EntraSettings extends TokenKeys {
  readonly clientId: string;
  /** Null: any GUID is a tenant. */
  readonly allowedTenants: readonly string[] | null;
  readonly tokenLifetimeMs: number;
  /** Application permissions that are granted now. */
  readonly roles: () => readonly string[];
  /** Changes while it runs. */
  state: EntraState;
  /** What App Service would put into IDENTITY_HEADER. */
  readonly identityHeader: string;
  readonly identityKeys: () => Promise<IdentityKeys>;
  /** Graph of a cloud that this Entra does not serve. */
  readonly isOfOtherCloud: (audience: string) => boolean;
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

function isKnownTenant(settings: EntraSettings, tenantId: string): boolean {
  if (tenantStateOf(settings.state, tenantId) === "unknown") return false;
  if (settings.allowedTenants === null) return guid.test(tenantId);
  return settings.allowedTenants.some((allowed) => allowed.toLowerCase() === tenantId.toLowerCase());
}

/** `origin`: such as `https://localhost:8443`. */
export function openidConfiguration(
  settings: EntraSettings,
  call: EntraCall,
  { tenantId, origin }: { readonly tenantId: string; readonly origin: string },
): EntraReply {
  if (!isKnownTenant(settings, tenantId)) return refuse(call, unknownTenant(tenantId));
  const base = `${origin}/${tenantId}`;
  return {
    status: 200,
    body: {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt"],
      jwks_uri: `${base}/discovery/v2.0/keys`,
      response_modes_supported: ["query", "fragment", "form_post"],
      subject_types_supported: ["pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      response_types_supported: ["code", "token"],
      scopes_supported: ["openid", "profile", "email", "offline_access"],
      issuer: `${base}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      tenant_region_scope: "WW",
    },
  };
}

export interface TokenRequest {
  readonly tenantId: string;
  readonly form: URLSearchParams;
  /** As in `openidConfiguration`. */
  readonly origin: string;
}

/** The client-credentials grant. 200 with a token, 400 or 401 with an AADSTS code. A promise where an assertion is checked. */
export function grantToken(
  settings: EntraSettings,
  call: EntraCall,
  request: TokenRequest,
): EntraReply | Promise<EntraReply> {
  const { tenantId, form } = request;
  const refusal = refusalOfApp(settings, tenantId, form);
  if (refusal !== null) return refuse(call, refusal);
  const proof = refusalOfProof(settings, call, request);
  if (proof instanceof Promise) return proof.then((found) => answer({ settings, call }, request, found));
  return answer({ settings, call }, request, proof);
}

/** Checks the tenant's consent last, as Entra does: only an authenticated application learns about it. */
function answer(
  { settings, call }: { readonly settings: EntraSettings; readonly call: EntraCall },
  { tenantId, form }: TokenRequest,
  proof: Refusal | null,
): EntraReply {
  const audience = audienceOf(form.get("scope"));
  const refusal =
    proof ??
    refusalOfTenant(tenantStateOf(settings.state, tenantId), settings.clientId, tenantId) ??
    refusalOfScope(settings, audience, tenantId);
  if (refusal !== null) return refuse(call, refusal);
  return tokenReply(settings, call, { audience: audience!, tenantId });
}

function refusalOfApp(settings: EntraSettings, tenantId: string, form: URLSearchParams): Refusal | null {
  if (!isKnownTenant(settings, tenantId)) return unknownTenant(tenantId);
  if (form.get("grant_type") !== "client_credentials") {
    const message = "The grant type must be client_credentials.";
    return { status: 400, error: "unsupported_grant_type", code: 70003, message };
  }
  if (form.get("client_id")?.toLowerCase() !== settings.clientId.toLowerCase()) {
    const message = "The application was not found in the directory. Check the client id and the tenant.";
    return { status: 400, error: "unauthorized_client", code: 700016, message };
  }
  return null;
}

function refusalOfProof(
  settings: EntraSettings,
  call: EntraCall,
  { tenantId, form, origin }: TokenRequest,
): Refusal | null | Promise<Refusal | null> {
  const state = settings.state;
  const assertion = form.get("client_assertion");
  if (assertion !== null && form.get("client_assertion_type") === assertionType) {
    const base = `${origin}/${tenantId}`;
    const audiences = [`${base}/oauth2/v2.0/token`, `${base}/v2.0`];
    const { clientId, identityKeys } = settings;
    return checkAssertion(state, { assertion, clientId, audiences, wallMs: call.wallMs, identityKeys });
  }
  const secret = form.get("client_secret");
  if (secret === null)
    return invalidClient(7000218, "The request needs a client_secret or client_assertion.");
  if (!state.secrets.includes(secret) || state.secret === "revoked")
    return invalidClient(7000215, "Invalid client secret provided.");
  if (state.secret === "expired")
    return invalidClient(7000222, "The provided client secret keys are expired.");
  return null;
}

function refusalOfTenant(state: TenantState, clientId: string, tenantId: string): Refusal | null {
  switch (state) {
    case "no-consent":
      return invalidClient(
        7000229,
        `The client application ${clientId} is missing service principal in the tenant ${tenantId}.`,
      );
    case "disabled":
      return {
        status: 400,
        error: "unauthorized_client",
        code: 7000112,
        message: `Application '${clientId}' is disabled.`,
      };
    case "conditional-access": {
      const message =
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.";
      return { status: 400, error: "invalid_grant", code: 53003, message };
    }
    default:
      return null;
  }
}

/** A tenant of one cloud has no Graph of another one. */
function refusalOfScope(settings: EntraSettings, audience: string | null, tenantId: string): Refusal | null {
  if (audience === null) {
    const message = "The scope must be a resource followed by /.default.";
    return { status: 400, error: "invalid_scope", code: 1002012, message };
  }
  if (!settings.isOfOtherCloud(audience)) return null;
  const message = `The resource principal named ${audience} was not found in the tenant named ${tenantId}.`;
  return { status: 400, error: "invalid_resource", code: 500011, message };
}

function tokenReply(
  settings: EntraSettings,
  call: EntraCall,
  { audience, tenantId }: { readonly audience: string; readonly tenantId: string },
): EntraReply {
  const lifetimeSeconds = Math.floor(settings.tokenLifetimeMs / 1000);
  const body = {
    token_type: "Bearer",
    expires_in: lifetimeSeconds,
    ext_expires_in: lifetimeSeconds,
    access_token: tokenFor(settings, call.wallMs, { audience, tenantId }),
  };
  return { status: 200, body };
}

/** A token that Graph takes, if it is for Graph. */
export function tokenFor(
  settings: EntraSettings,
  wallMs: number,
  { audience, tenantId }: { readonly audience: string; readonly tenantId: string },
): string {
  const roles = settings.roles();
  // As Entra: without any there is no such claim.
  const granted = roles.length === 0 ? {} : { roles };
  const exp = (wallMs + settings.tokenLifetimeMs) / 1000;
  return signToken(settings, { aud: audience, tid: tenantId.toLowerCase(), exp, ...granted });
}

/** `https://graph.microsoft.com/.default` is for `https://graph.microsoft.com`; a doubled slash is usual too. */
function audienceOf(scope: string | null): string | null {
  return /^(https:\/\/[^\s/]+)\/{1,2}\.default$/.exec(scope ?? "")?.[1] ?? null;
}
