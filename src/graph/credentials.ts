/** Where tokens come from: @azure/identity. Another kind of credential is another TokenSource built here. */
import { ClientSecretCredential } from "@azure/identity";
import { classifyCredentialError } from "./credential-failure.ts";
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
  /** All CA certificates to trust, PEM; null: the process's own. */
  readonly ca: readonly string[] | null;
}

export function createTokenSource(settings: CredentialSettings): TokenSource {
  const { clientSecret } = settings.credential;
  const options = {
    authorityHost: settings.authorityHost,
    disableInstanceDiscovery: settings.isCustomAuthority,
    // The registrar decides when to try again.
    retryOptions: { maxRetries: 0 },
    ...(settings.ca === null ? {} : { tlsOptions: { ca: [...settings.ca] } }),
  };
  return async (tenantId, signal) => {
    try {
      // A credential object keeps its token till it expires, also one that Graph refused: so a new one each time.
      const credential = new ClientSecretCredential(tenantId, settings.clientId, clientSecret, options);
      const token = await credential.getToken(settings.scope, { abortSignal: signal });
      return { ok: true, token: token.token, expiresAtWallMs: token.expiresOnTimestamp };
    } catch (error) {
      return classifyCredentialError(error, tenantId, clientSecret);
    }
  };
}
