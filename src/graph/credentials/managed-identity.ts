/**
 * Tokens of a managed identity. They come from the machine that the worker runs on: the metadata service of virtual
 * machines, or the endpoint that App Service and Container Apps name in IDENTITY_ENDPOINT.
 */
import { ManagedIdentityCredential } from "@azure/identity";
import { describeError } from "../connect-error.ts";
import type { AuthorityAnswer } from "./failure.ts";
import { type Acquisition, acquiring, machineClient } from "./http-client.ts";
import type { AcquiredToken, TokenFailure } from "./token-cache.ts";

/**
 * `clientId`: null is the system-assigned one. The library keeps an identity's tokens until they expire, for the process, and its
 * `getToken` hands neither claims nor a wish for a new one on to MSAL; the machine keeps them as well. So after Graph's 401 the
 * same token comes again.
 */
export async function identityToken(
  { clientId, authorityHost }: { readonly clientId: string | null; readonly authorityHost: string },
  scope: string,
  signal: AbortSignal,
): Promise<AcquiredToken> {
  const acquisition: Acquisition = { signal, answer: null };
  try {
    const token = await acquiring(acquisition, () => {
      const credential = new ManagedIdentityCredential({
        ...(clientId === null ? {} : { clientId }),
        authorityHost,
        httpClient: machineClient,
        retryOptions: { maxRetries: 0 },
      });
      return credential.getToken(scope, { abortSignal: signal });
    });
    return { ok: true, token: token.token, expiresAtWallMs: token.expiresOnTimestamp };
  } catch (error) {
    return failureOf(error, acquisition.answer, clientId);
  }
}

/** A permanent answer: the machine has no such identity. Any other failure may pass. */
const refusals: ReadonlySet<number> = new Set([400, 401, 403]);

function failureOf(error: unknown, answer: AuthorityAnswer | null, clientId: string | null): TokenFailure {
  const whose =
    clientId === null ? "its system-assigned managed identity" : `the managed identity ${clientId}`;
  const none = `the machine gives no token of ${whose}`;
  if (answer === null) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: "connect", detail: `${none}: ${why.replaceAll(/\s+/g, " ").slice(0, 300)}` };
  }
  if ("error" in answer) {
    const detail = `${none}: ${answer.host} can't be reached: ${describeError(answer.error)}`;
    const fix =
      "Managed identities are on Azure only: elsewhere choose another credential, by GRAPH_CREDENTIAL.";
    return { ok: false, reason: "connect", detail, fix };
  }
  const detail = `${none}: ${answer.host} answers HTTP ${answer.status}${messageIn(answer.body)}`;
  if (!refusals.has(answer.status)) return { ok: false, reason: "connect", detail };
  const fix =
    clientId === null
      ? "Turn its system-assigned identity on, or name a user-assigned one in AZURE_MANAGED_IDENTITY_CLIENT_ID."
      : "Assign that identity to the machine, or correct AZURE_MANAGED_IDENTITY_CLIENT_ID.";
  return { ok: false, reason: "application", detail, fix };
}

/** Of either form of answer. */
function messageIn(body: string): string {
  try {
    const { error_description: description, message } = JSON.parse(body) as Record<string, unknown>;
    const text = typeof description === "string" ? description : message;
    return typeof text === "string" ? `, ${text.replaceAll(/\s+/g, " ").slice(0, 200)}` : "";
  } catch {
    return "";
  }
}
