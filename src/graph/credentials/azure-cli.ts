/** Tokens of the user who is logged in to the Azure CLI: for a developer's machine. */
import { AzureCliCredential } from "@azure/identity";
import { clean } from "./failure.ts";
import { refusalOf } from "./refusals.ts";
import type { AcquiredToken, TokenFailure } from "./token-cache.ts";

/** The CLI starts a Python of its own: it takes a while. */
const processTimeoutMs = 30_000;

/** `tenantId`: null is the one that the user is logged in to. */
export async function cliToken(
  tenantId: string | null,
  scope: string,
  signal: AbortSignal,
): Promise<AcquiredToken> {
  try {
    const ofTenant = tenantId === null ? {} : { tenantId };
    const credential = new AzureCliCredential({ ...ofTenant, processTimeoutInMs: processTimeoutMs });
    const token = await credential.getToken(scope, { abortSignal: signal });
    return { ok: true, token: token.token, expiresAtWallMs: token.expiresOnTimestamp };
  } catch (error) {
    return failureOf(error, tenantId);
  }
}

function failureOf(error: unknown, tenantId: string | null): TokenFailure {
  const message = clean(error instanceof Error ? error.message : String(error), []);
  const known = refusalOf(/AADSTS\d+/.exec(message)?.[0]);
  const detail = `the Azure CLI gives no token${tenantId === null ? "" : ` for tenant ${tenantId}`}: ${known?.what ?? message}`;
  if (known?.reach === "passing") return { ok: false, reason: "connect", detail };
  if (/could not be found/.test(message)) {
    const fix = "Install the Azure CLI, or choose another credential by GRAPH_CREDENTIAL.";
    return { ok: false, reason: "application", detail, fix };
  }
  return {
    ok: false,
    reason: "credential",
    detail,
    fix: `Type: az login${tenantId === null ? "" : ` --tenant ${tenantId}`}`,
  };
}
