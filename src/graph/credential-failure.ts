/**
 * Why @azure/identity gave no token. It wraps a refusal, a throttled or failing authority and a broken network alike
 * in AuthenticationRequiredError, and says of a tenant that does not exist no more than of a network without route:
 * only the causes and the authority's own last answer tell them apart.
 */
import { describeError, isUntrusted } from "./connect-error.ts";
import type { TokenFailure } from "./token-cache.ts";

/** OAuth errors by which an authority refuses for good (RFC 6749, section 5.2, and Entra's own). */
const refusals: ReadonlySet<string> = new Set([
  "invalid_client",
  "unauthorized_client",
  "invalid_request",
  "invalid_grant",
  "invalid_scope",
  "invalid_resource",
  "invalid_tenant",
  "access_denied",
  "interaction_required",
  "consent_required",
]);

/** What to look at, by Entra's error number (Microsoft Entra authentication and authorization error codes). */
const remedies: ReadonlyMap<string, string> = new Map([
  ["AADSTS7000215", "the secret is wrong (its value is needed, not its id): check AZURE_CLIENT_SECRET"],
  ["AADSTS7000222", "the secret has expired: create a new one and set AZURE_CLIENT_SECRET"],
  ["AADSTS7000216", "no secret arrived: check AZURE_CLIENT_SECRET"],
  ["AADSTS7000112", "the application is disabled: enable it, or check AZURE_CLIENT_ID"],
  ["AADSTS700016", "the tenant does not know the application: check AZURE_CLIENT_ID, and grant it there"],
  ["AADSTS90002", "there is no such tenant in this cloud: check the tenant id and GRAPH_CLOUD"],
  ["AADSTS900023", "the tenant id is malformed: check AZURE_TENANT_ID and ALLOWED_TENANTS"],
  ["AADSTS500011", "the tenant has no Graph under this scope: check GRAPH_CLOUD"],
  ["AADSTS1002012", "the scope is not valid: check GRAPH_CLOUD"],
  ["AADSTS70011", "the scope is not valid: check GRAPH_CLOUD"],
]);

/** These speak of the application's own secret: no other tenant would fare better. */
const ofTheSecret: ReadonlySet<string> = new Set(["AADSTS7000215", "AADSTS7000216", "AADSTS7000222"]);

const generalRemedy = "check AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and the tenant id";

/** What the last request to the authority led to. `host` with its port. */
export type AuthorityAnswer =
  | { readonly host: string; readonly status: number; readonly body: string }
  | { readonly host: string; readonly error: Error };

/** `answer`: null when nothing was asked. `secret` is cut out of the detail, should an answer have echoed it. */
export function classifyCredentialError(
  error: unknown,
  answer: AuthorityAnswer | null,
  tenantId: string,
  secret: string,
): TokenFailure {
  const chain = causesOf(error);
  const message = chain.map((link) => link.message).join(" ");
  const answered = answer !== null && "status" in answer ? answer : null;
  const text = `${message} ${answered?.body ?? ""}`;
  const statuses = [answered?.status, ...chain.flatMap((link) => [link.status, link.statusCode])];
  const status = statuses.find((value) => typeof value === "number");
  const codes = chain
    .flatMap((link) => [link.errorCode, link.code])
    .filter((code) => typeof code === "string");
  const number = /AADSTS\d+/.exec(text)?.[0];
  const refusal = codes.find((code) => refusals.has(code)) ?? oauthErrorIn(text);
  const isTransient =
    codes.includes("temporarily_unavailable") ||
    (typeof status === "number" && (status === 408 || status === 429 || status >= 500));
  if (!isTransient && (number !== undefined || refusal !== undefined)) {
    const label = [number, refusal].filter((part) => part !== undefined).join(", ");
    const remedy = remedies.get(number ?? "") ?? generalRemedy;
    const detail = `the authority refuses a token for tenant ${tenantId} (${label}): ${remedy}`;
    const reason = ofTheSecret.has(number ?? "") ? "secret" : "credential";
    return { ok: false, reason, detail }; // All of it is ours: a secret that is a common word stays in it.
  }
  const failed = answer !== null && "error" in answer ? answer : null;
  const where = typeof status === "number" ? `HTTP ${status}` : (codes[0] ?? "no answer");
  // What the library says of these hides host and cause alike ("endpoints_resolution_error: See https://aka.ms/...").
  const why =
    failed !== null
      ? `: the authority ${failed.host} can't be reached: ${describeError(failed.error)}`
      : answered !== null
        ? `: the authority ${answered.host} answers HTTP ${answered.status}`
        : ` (${where}): ${clean(message, secret)}`;
  const detail = `no token for tenant ${tenantId}${why}`;
  const isOfCa = failed !== null && isUntrusted(failed.error);
  return { ok: false, reason: "connect", detail, ...(isOfCa ? { code: "untrusted-ca" } : {}) };
}

interface Link {
  readonly message: string;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly errorCode?: unknown;
  readonly code?: unknown;
}

function causesOf(error: unknown): Link[] {
  const chain: Link[] = [];
  for (let link = error; link instanceof Error && chain.length < 8; link = link.cause) chain.push(link);
  return chain.length > 0 ? chain : [{ message: String(error) }];
}

function oauthErrorIn(text: string): string | undefined {
  const named = /"error"\s*:\s*"([a-z_]+)"/.exec(text)?.[1];
  return named !== undefined && refusals.has(named) ? named : undefined;
}

function clean(text: string, secret: string): string {
  let cleaned = text;
  for (const form of [secret, encodeURIComponent(secret)]) {
    if (form !== "") cleaned = cleaned.replaceAll(form, "***");
  }
  return cleaned.replaceAll(/\s+/g, " ").trim().slice(0, 600);
}
