/**
 * Tokens from the token endpoint of an OpenID Connect provider, by client credentials (RFC 6749, section 4.4): for what is not
 * Entra's. The client shows its id and secret in the Authorization header, as Kafka's own clients do.
 */
import { Pool } from "undici";
import type { Clock } from "../../ports.ts";
import { describeError } from "../connect-error.ts";
import { connectorsFor } from "../connectors.ts";
import { type Environment, proxyFor } from "../proxy.ts";
import type { SecretText } from "./credential.ts";
import { clean } from "./failure.ts";
import { readText } from "./files.ts";
import type { AcquiredToken, TokenFailure } from "./token-cache.ts";

export interface TokenEndpoint {
  readonly url: string;
  readonly clientId: string;
  readonly secret: SecretText;
  /** Null: none is asked for. */
  readonly scope: string | null;
  readonly caFile: string | null;
  /** Names proxies, in the usual variables. */
  readonly environment: Environment;
  /** How messages call the settings. */
  readonly variables: Readonly<Record<"url" | "clientId" | "secret" | "scope" | "caFile", string>>;
}

const connectTimeoutMs = 5_000;
const maxAnswerBytes = 65_536;

/** Never rejects. Nothing is retried. */
export async function endpointToken(
  endpoint: TokenEndpoint,
  clock: Clock,
  signal: AbortSignal,
): Promise<AcquiredToken> {
  const { variables } = endpoint;
  const secret = await readText(endpoint.secret);
  if (!secret.ok) {
    const fix = "Put the secret's value into that file.";
    return { ok: false, reason: "application", detail: secret.problem, fix };
  }
  try {
    const { status, text } = await post({ endpoint, secret: secret.value }, clock, signal);
    return status === 200
      ? readToken(text, endpoint, clock)
      : failureOf({ status, text }, endpoint, secret.value);
  } catch (error) {
    const why = describeError(error instanceof Error ? error : new Error(String(error)), variables.caFile);
    return { ok: false, reason: "connect", detail: `${shown(endpoint)} can't be reached: ${why}` };
  }
}

async function post(
  { endpoint, secret }: { readonly endpoint: TokenEndpoint; readonly secret: string },
  clock: Clock,
  signal: AbortSignal,
) {
  const url = new URL(endpoint.url);
  const { caFile, environment, clientId, scope } = endpoint;
  const connector = connectorsFor({ caFile, environment, connectTimeoutMs }, clock)(url);
  const pool = new Pool(url.origin, {
    connections: 1,
    allowH2: false,
    connect: connector.connect,
    maxResponseSize: maxAnswerBytes,
  });
  // A proxy is asked for an address without TLS as a whole; for others there is a tunnel through it.
  const proxy = url.protocol === "http:" ? proxyFor(url, environment) : null;
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    ...(scope === null ? {} : { scope }),
  });
  const credentials = [clientId, secret].map((part) => encodeURIComponent(part)).join(":");
  try {
    const { statusCode, body } = await pool.request({
      method: "POST",
      path: `${proxy === null ? "" : url.origin}${url.pathname}${url.search}`,
      headers: {
        accept: "application/json",
        authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
        "content-type": "application/x-www-form-urlencoded",
        ...(proxy?.authorization ? { "proxy-authorization": proxy.authorization } : {}),
      },
      body: form.toString(),
      signal,
    });
    return { status: statusCode, text: await body.text() };
  } finally {
    await pool.destroy();
    connector.close();
  }
}

function readToken(text: string, endpoint: TokenEndpoint, clock: Clock): AcquiredToken {
  const { access_token: token, expires_in: expiresIn } = objectIn(text);
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    const fix = `Correct ${endpoint.variables.url}.`;
    return { ok: false, reason: "connect", detail: `${shown(endpoint)} answers without a token`, fix };
  }
  const lifeMs = Number(expiresIn) * 1000;
  const expiresAtWallMs = lifeMs > 0 ? clock.wallMs() + lifeMs : expiryIn(token);
  if (expiresAtWallMs !== null) return { ok: true, token, expiresAtWallMs };
  const detail = `${shown(endpoint)} does not say how long its token lasts (expires_in)`;
  return { ok: false, reason: "connect", detail };
}

/** Of a JSON web token; null: it does not say. */
function expiryIn(token: string): number | null {
  const { exp } = objectIn(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  return typeof exp === "number" ? exp * 1000 : null;
}

const refusals: ReadonlySet<number> = new Set([400, 401, 403, 404, 405]);

function failureOf(
  { status, text }: { readonly status: number; readonly text: string },
  endpoint: TokenEndpoint,
  secret: string,
): TokenFailure {
  const { error, error_description: description } = objectIn(text);
  const name = typeof error === "string" ? error : "";
  const words = [name, typeof description === "string" ? description : ""].filter((part) => part !== "");
  const said = clean(words.join(": "), [secret]).slice(0, 300);
  const detail = `${shown(endpoint)} answers HTTP ${status}${said === "" ? "" : ` (${said})`}`;
  if (!refusals.has(status) || name === "temporarily_unavailable")
    return { ok: false, reason: "connect", detail };
  return { ok: false, reason: "application", detail, fix: fixOf(name, status, endpoint) };
}

function fixOf(name: string, status: number, { variables }: TokenEndpoint): string {
  const { url, clientId, secret, scope } = variables;
  if (name === "invalid_scope") return `Correct ${scope}, or unset it.`;
  if (name === "invalid_client" || status === 401)
    return `Correct ${clientId} and ${secret} (or the file ${secret}_FILE).`;
  if (name === "unauthorized_client" || name === "unsupported_grant_type" || status === 403)
    return `Let an administrator of the provider allow client ${clientId} the grant client_credentials, or correct ${clientId}.`;
  if (status === 404 || status === 405)
    return `Correct ${url}: its issuer's /.well-known/openid-configuration names it.`;
  return `Check ${url}, ${clientId}, ${secret} and ${scope}.`;
}

function shown({ url }: TokenEndpoint): string {
  return `the token endpoint ${url}`;
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
