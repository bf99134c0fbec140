/** Where tokens come from: @azure/identity. Another kind of credential is another TokenSource built here. */
import type { Agent } from "node:https";
import { ClientSecretCredential, type ClientSecretCredentialOptions } from "@azure/identity";
import { type AuthorityAnswer, classifyCredentialError } from "./credential-failure.ts";
import type { TokenSource } from "./token-cache.ts";

export interface SecretCredential {
  readonly kind: "secret";
  readonly clientSecret: string;
}

/** Only one kind so far; managed identities and certificates join here. */
export type Credential = SecretCredential;

export interface CredentialSettings {
  readonly clientId: string;
  readonly credential: Credential;
  readonly authorityHost: string;
  /** Any authority but a cloud's own: @azure/identity can't discover it, and must not ask Microsoft about it. */
  readonly isCustomAuthority: boolean;
  readonly scope: string;
  /** Makes the connections to the authority. */
  readonly agent: Agent;
}

export function createTokenSource(settings: CredentialSettings): TokenSource {
  const { clientSecret } = settings.credential;
  const options = {
    authorityHost: settings.authorityHost,
    disableInstanceDiscovery: settings.isCustomAuthority,
    // The registrar decides when to try again.
    retryOptions: { maxRetries: 0 },
  };
  return async (tenantId, signal) => {
    let answer: AuthorityAnswer | null = null;
    const observe: Policy = {
      name: "registrarObserver",
      sendRequest: async (request, next) => {
        // MSAL hands no signal on: without this an acquisition that was given up would live on.
        request.abortSignal = AbortSignal.any([signal, ...nativeSignals(request.abortSignal)]);
        // In place of the one that the library chose by the variables for proxies.
        request.agent = settings.agent;
        const { hostname, port } = new URL(request.url);
        const host = `${hostname}:${port || 443}`;
        try {
          const response = await next(request);
          answer = { host, status: response.status, body: (response.bodyAsText ?? "").slice(0, 4_096) };
          return response;
        } catch (error) {
          answer = { host, error: causeOf(error) };
          throw error;
        }
      },
    };
    try {
      // A credential object keeps its token till it expires, also one that Graph refused: so a new one each time.
      const credential = new ClientSecretCredential(tenantId, settings.clientId, clientSecret, {
        ...options,
        additionalPolicies: [{ policy: observe, position: "perCall" }],
      });
      const token = await credential.getToken(settings.scope, { abortSignal: signal });
      return { ok: true, token: token.token, expiresAtWallMs: token.expiresOnTimestamp };
    } catch (error) {
      return classifyCredentialError(error, answer, tenantId, clientSecret);
    }
  };
}

type Policy = NonNullable<ClientSecretCredentialOptions["additionalPolicies"]>[number]["policy"];

/** The library wraps what the connection met, and keeps it as the cause. */
function causeOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? error.cause : error;
}

function nativeSignals(signal: unknown): AbortSignal[] {
  return signal instanceof AbortSignal ? [signal] : [];
}
