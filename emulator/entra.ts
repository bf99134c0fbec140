/** The parts of Entra ID that a client-credentials client calls, and the check of the tokens handed out. */

import { createHmac, timingSafeEqual } from "node:crypto";

export interface EntraSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Null: any GUID is a tenant. */
  readonly allowedTenants: readonly string[] | null;
  readonly tokenLifetimeMs: number;
  /** Audiences that Graph takes. */
  readonly audiences: readonly string[];
  /** Signs the tokens; new for each emulator. */
  readonly signingKey: Uint8Array;
  /** Application permissions that are granted now. */
  readonly roles: () => readonly string[];
}

export interface EntraReply {
  readonly status: number;
  readonly body: unknown;
}

/** Times are milliseconds since 1970; ids go into the error body. */
export interface EntraCall {
  readonly wallMs: number;
  readonly traceId: string;
  readonly correlationId: string;
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Secrets and tokens are far smaller; a longer one is not looked at. */
const maxTokenLength = 4_096;
const maxCachedTokens = 10_000;

function isKnownTenant(settings: EntraSettings, tenantId: string): boolean {
  if (settings.allowedTenants === null) return guid.test(tenantId);
  return settings.allowedTenants.some((allowed) => allowed.toLowerCase() === tenantId.toLowerCase());
}

/** `origin`: such as `https://localhost:8443`. */
export function openidConfiguration(
  settings: EntraSettings,
  call: EntraCall,
  tenantId: string,
  origin: string,
): EntraReply {
  if (!isKnownTenant(settings, tenantId)) return unknownTenant(call, tenantId);
  const base = `${origin}/${tenantId}`;
  return {
    status: 200,
    body: {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ["client_secret_post"],
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

/** The client-credentials grant. 200 with a token, 400 or 401 with an AADSTS code. */
export function grantToken(
  settings: EntraSettings,
  call: EntraCall,
  tenantId: string,
  form: URLSearchParams,
): EntraReply {
  if (!isKnownTenant(settings, tenantId)) return unknownTenant(call, tenantId);
  const grant = form.get("grant_type");
  if (grant !== "client_credentials") {
    return refusal(call, 400, "unsupported_grant_type", 70003, "The grant type must be client_credentials.");
  }
  if (form.get("client_id")?.toLowerCase() !== settings.clientId.toLowerCase()) {
    const message = "The application was not found in the directory. Check the client id and the tenant.";
    return refusal(call, 400, "unauthorized_client", 700016, message);
  }
  const secret = form.get("client_secret");
  if (secret === null) {
    return refusal(
      call,
      401,
      "invalid_client",
      7000218,
      "The request needs a client_secret or client_assertion.",
    );
  }
  if (secret !== settings.clientSecret) {
    return refusal(call, 401, "invalid_client", 7000215, "Invalid client secret provided.");
  }
  const audience = audienceOf(form.get("scope"));
  if (audience === null) {
    return refusal(
      call,
      400,
      "invalid_scope",
      1002012,
      "The scope must be a resource followed by /.default.",
    );
  }
  const expiresAtMs = call.wallMs + settings.tokenLifetimeMs;
  const lifetimeSeconds = Math.floor(settings.tokenLifetimeMs / 1000);
  const roles = settings.roles();
  // As Entra: without any there is no such claim.
  const granted = roles.length === 0 ? {} : { roles };
  const claims = { aud: audience, tid: tenantId.toLowerCase(), exp: expiresAtMs / 1000, ...granted };
  const token = signToken(settings, claims);
  return {
    status: 200,
    body: {
      token_type: "Bearer",
      expires_in: lifetimeSeconds,
      ext_expires_in: lifetimeSeconds,
      access_token: token,
    },
  };
}

interface Claims {
  readonly aud: string;
  readonly tid: string;
  /** Seconds since 1970, perhaps fractional. */
  readonly exp: number;
  readonly roles?: readonly string[];
}

export type TokenCheck =
  | { readonly ok: true; readonly tenantId: string }
  | { readonly ok: false; readonly message: string };

/** Checks `Authorization` headers; remembers signatures that it has checked. */
export function tokenChecker(settings: EntraSettings): (authorization: string, wallMs: number) => TokenCheck {
  const checked = new Map<string, Claims>();
  return (authorization, wallMs) => {
    const known = checked.get(authorization);
    const claims = known ?? readClaims(settings, authorization);
    if (typeof claims === "string") return { ok: false, message: claims };
    if (claims.exp * 1000 <= wallMs) return { ok: false, message: "The access token's lifetime is over." };
    if (!settings.audiences.includes(claims.aud))
      return { ok: false, message: "The access token's audience is invalid." };
    if (known === undefined) {
      if (checked.size >= maxCachedTokens) checked.clear();
      checked.set(authorization, claims);
    }
    return { ok: true, tenantId: claims.tid };
  };
}

function readClaims(settings: EntraSettings, authorization: string): Claims | string {
  if (authorization === "") return "The access token is missing.";
  const parts = /^Bearer +([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorization.slice(0, maxTokenLength));
  if (parts === null) return "The access token is not a JSON web token.";
  const expected = signature(settings, `${parts[1]}.${parts[2]}`);
  const given = Buffer.from(parts[3]!, "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return "The access token's signature is invalid.";
  }
  return JSON.parse(Buffer.from(parts[2]!, "base64url").toString()) as Claims;
}

function signToken(settings: EntraSettings, claims: Claims): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ typ: "JWT", alg: "HS256" })}.${encode(claims)}`;
  return `${signed}.${signature(settings, signed).toString("base64url")}`;
}

function signature(settings: EntraSettings, text: string): Buffer {
  return createHmac("sha256", settings.signingKey).update(text).digest();
}

/** `https://graph.microsoft.com/.default` is for `https://graph.microsoft.com`; a doubled slash is usual too. */
function audienceOf(scope: string | null): string | null {
  return /^(https:\/\/[^\s/]+)\/{1,2}\.default$/.exec(scope ?? "")?.[1] ?? null;
}

function unknownTenant(call: EntraCall, tenantId: string): EntraReply {
  const message = `Tenant '${tenantId.slice(0, 64)}' not found. Check that it is the right tenant id and cloud.`;
  return refusal(call, 400, "invalid_tenant", 90002, message);
}

function refusal(call: EntraCall, status: number, error: string, code: number, message: string): EntraReply {
  const timestamp = `${new Date(call.wallMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
  const trace = `Trace ID: ${call.traceId} Correlation ID: ${call.correlationId} Timestamp: ${timestamp}`;
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${message} ${trace}`,
      error_codes: [code],
      timestamp,
      trace_id: call.traceId,
      correlation_id: call.correlationId,
    },
  };
}
