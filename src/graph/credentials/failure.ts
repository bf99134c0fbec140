/**
 * Why @azure/identity gave no token. It wraps a refusal, a throttled or failing authority and a broken network alike
 * in AuthenticationRequiredError, and says of a tenant that does not exist no more than of a network without route:
 * only the causes and the authority's own last answer tell them apart.
 */
import { describeError, isUntrusted } from "../connect-error.ts";
import { generalFix, refusalOf } from "./refusals.ts";
import type { TokenFailure } from "./token-cache.ts";

/** OAuth errors by which an authority refuses permanently (RFC 6749, section 5.2, and Entra's own). */
const refusalNames: ReadonlySet<string> = new Set([
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

/** What the last request to the authority led to. `host` with its port. */
export type AuthorityAnswer =
  | { readonly host: string; readonly status: number; readonly body: string }
  | { readonly host: string; readonly error: Error };

export interface Asked {
  readonly tenantId: string;
  /** Null when nothing was asked. */
  readonly answer: AuthorityAnswer | null;
  /** Cut out of the detail, should an answer have echoed them. */
  readonly secrets: readonly string[];
  /** What was shown to the authority, for people: a certificate's thumbprint. "": nothing to say. */
  readonly shown: string;
}

export function classifyCredentialError(error: unknown, asked: Asked): TokenFailure {
  const { tenantId, answer } = asked;
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
  const refusalName = codes.find((code) => refusalNames.has(code)) ?? oauthErrorIn(text);
  const known = refusalOf(number);
  const isTransient =
    known?.reach === "passing" ||
    codes.includes("temporarily_unavailable") ||
    (typeof status === "number" && (status === 408 || status === 429 || status >= 500));
  if (!isTransient && (number !== undefined || refusalName !== undefined)) {
    const label = [number, refusalName].filter((part) => part !== undefined).join(", ");
    return refused(label, number, asked);
  }
  const failed = answer !== null && "error" in answer ? answer : null;
  const where = typeof status === "number" ? `HTTP ${status}` : (codes[0] ?? "no answer");
  // What the library says of these hides host and cause alike ("endpoints_resolution_error: See https://aka.ms/...").
  const why =
    failed !== null
      ? `: the authority ${failed.host} can't be reached: ${describeError(failed.error)}`
      : answered !== null
        ? `: the authority ${answered.host} answers HTTP ${answered.status}${known === null ? "" : ` (${number}: ${known.what})`}`
        : ` (${where}): ${clean(message, asked.secrets)}`;
  const detail = `no token for tenant ${tenantId}${why}`;
  const isOfCa = failed !== null && isUntrusted(failed.error);
  return { ok: false, reason: "connect", detail, ...(isOfCa ? { code: "untrusted-ca" } : {}) };
}

/** All of it is ours: a secret that is a common word stays in it. */
function refused(label: string, number: string | undefined, { tenantId, shown }: Asked): TokenFailure {
  const known = refusalOf(number);
  const isOfApp = known?.reach === "app";
  const whom = isOfApp ? "the application's credential" : `a token for tenant ${tenantId}`;
  const what = known === null ? "" : `: ${known.what}`;
  const detail = `the authority refuses ${whom} (${label})${what}${isOfApp ? shown : ""}`;
  return { ok: false, reason: isOfApp ? "application" : "credential", detail, fix: known?.fix ?? generalFix };
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
  return named !== undefined && refusalNames.has(named) ? named : undefined;
}

export function clean(text: string, secrets: readonly string[]): string {
  let cleaned = text;
  for (const form of secrets.flatMap((secret) => [secret, encodeURIComponent(secret)])) {
    if (form !== "") cleaned = cleaned.replaceAll(form, "***");
  }
  return cleaned.replaceAll(/\s+/g, " ").trim().slice(0, 600);
}
