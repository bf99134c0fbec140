/**
 * One application's credential in one cloud: tokens for any tenant, by @azure/identity.
 *
 * 1. Each acquisition makes a credential object of the library: such an object keeps its token until it expires, also one
 *    that Graph refused, its certificate permanently, and searches the tokens of all tenants for each one's.
 * 2. Nothing is retried here, but what authority-client.ts says: the registrar decides when to try again.
 * 3. A token that comes from an identity, not from a tenant's authority, is of the tenant that was asked for, or is refused:
 *    with another one, connectors would be registered in the wrong tenant.
 */

import { createEmptyPipeline } from "@azure/core-rest-pipeline";
import {
  ClientAssertionCredential,
  ClientSecretCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import type { Clock } from "../../ports.ts";
import { authorityOf, exchangeScopeOf, isCloudAuthority, scopeOf } from "../clouds.ts";
import { holdWhileRefused } from "./app-hold.ts";
import { signAssertion } from "./assertion.ts";
import type { Authority } from "./authority-client.ts";
import { cliToken } from "./azure-cli.ts";
import type { AppSettings } from "./credential.ts";
import { type Asked, classifyCredentialError } from "./failure.ts";
import {
  type CertificateFile,
  type CertificateNote,
  certificateFile,
  readFilled,
  readText,
} from "./files.ts";
import type { Acquisition } from "./http-client.ts";
import { identityToken } from "./managed-identity.ts";
import type { AcquiredToken, TokenFailure, TokenSource } from "./token-cache.ts";
import { tenantOf } from "./token-tenant.ts";

export interface AppCredential {
  readonly token: TokenSource;
  /** When the certificate in use expires, milliseconds since 1970; null: there is none, or it was not read yet. */
  expiresAtWallMs(): number | null;
}

export interface AppCredentialParts {
  readonly authority: Authority;
  readonly clock: Clock;
  readonly onNote?: (note: CertificateNote) => void;
  /** Of the tokens; default: Graph's. */
  readonly scope?: string;
}

type LibraryOptions = ConstructorParameters<typeof ClientSecretCredential>[3];
type Library = Pick<ClientSecretCredential, "getToken">;

/** What stands for the application in one acquisition. */
type Proof =
  | {
      readonly ok: true;
      make(tenantId: string, options: LibraryOptions): Library;
      readonly secrets: readonly string[];
      /** As in `Asked`. */
      readonly shown: string;
    }
  | TokenFailure;

export function createAppCredential(app: AppSettings, parts: AppCredentialParts): AppCredential {
  const { credential } = app;
  const certificate =
    credential.kind === "client-certificate"
      ? certificateFile(credential.path, credential.password, parts.onNote ?? (() => {}))
      : null;
  const authorityHost = authorityOf(app);
  const scope = parts.scope ?? scopeOf(app.cloud);
  const identity = (clientId: string | null) => ({ clientId, authorityHost });
  const exchange = joined((signal) => {
    const { identityClientId } = credential as { identityClientId: string };
    return identityToken(identity(identityClientId), exchangeScopeOf(app.cloud), signal);
  });

  async function prove(signal: AbortSignal): Promise<Proof> {
    switch (credential.kind) {
      case "client-secret":
        return bySecret(app.clientId, await readText(credential.secret));
      case "client-certificate":
        return byCertificate(
          app.clientId,
          { file: certificate!, sendChain: credential.sendChain },
          parts.clock,
        );
      case "workload-identity":
        return byTokenFile(app.clientId, credential.tokenFile);
      case "managed-identity-federated":
        return byIdentity(app.clientId, await exchange(signal));
      default:
        throw new Error(`${credential.kind} is not an application`);
    }
  }

  async function ofApplication(tenantId: string, signal: AbortSignal): Promise<AcquiredToken> {
    const proof = await prove(signal);
    if (!proof.ok) return proof;
    const acquisition: Acquisition = { signal, answer: null };
    const options = {
      authorityHost,
      // Any authority but a cloud's own: the library can't discover it, and must not ask Microsoft about it.
      disableInstanceDiscovery: !isCloudAuthority(authorityHost),
      retryOptions: { maxRetries: 0 }, // 2
      httpClient: parts.authority.client(acquisition),
      pipeline: bare,
    };
    try {
      const token = await proof.make(tenantId, options).getToken(scope, { abortSignal: signal }); // 1
      return { ok: true, token: token.token, expiresAtWallMs: token.expiresOnTimestamp };
    } catch (error) {
      const asked: Asked = {
        tenantId,
        answer: acquisition.answer,
        secrets: proof.secrets,
        shown: proof.shown,
      };
      return classifyCredentialError(error, asked);
    }
  }

  const token: TokenSource = async (tenantId, signal) => {
    if (credential.kind === "managed-identity")
      return ofTenant(tenantId, await identityToken(identity(credential.identityClientId), scope, signal));
    if (credential.kind === "azure-cli") return ofTenant(tenantId, await cliToken(tenantId, scope, signal));
    return ofApplication(tenantId, signal);
  };

  return {
    token: holdWhileRefused(token, holdMs, parts.clock),
    expiresAtWallMs: () => certificate?.current()?.notAfterMs ?? null,
  };
}

/** Without the library's own steps for proxies, redirects, retries and traces: a fifth of a token's CPU, and none is wanted. */
const bare = createEmptyPipeline();
/** How long a refusal of the application counts for all of its tenants. */
const holdMs = 5_000;

function bySecret(clientId: string, secret: Awaited<ReturnType<typeof readText>>): Proof {
  if (!secret.ok) return unreadable(secret.problem, "Put the secret's value into that file.");
  const { value } = secret;
  const make = (tenantId: string, options: LibraryOptions) =>
    new ClientSecretCredential(tenantId, clientId, value, options);
  return { ok: true, make, secrets: [value], shown: "" };
}

async function byCertificate(
  clientId: string,
  { file, sendChain }: { readonly file: CertificateFile; readonly sendChain: boolean },
  clock: Clock,
): Promise<Proof> {
  const read = await file.read();
  if (!read.ok) {
    return unreadable(
      read.problem,
      "Put the certificate with its private key (RSA) into that file, as PEM or PFX.",
    );
  }
  const certificate = read.value;
  const { thumbprint, notAfterMs } = certificate;
  const make = (tenantId: string, options: LibraryOptions) => {
    // What the token endpoint of every authority is called. MSAL asks twice, the first time before it has looked there.
    const audience = `${options!.authorityHost!.replace(/\/+$/, "")}/${tenantId}/oauth2/v2.0/token`;
    let assertion: Promise<string> | null = null;
    const assert = () =>
      (assertion ??= signAssertion(certificate, { clientId, audience, sendChain }, clock.wallMs()));
    return new ClientAssertionCredential(tenantId, clientId, assert, options);
  };
  const until = new Date(notAfterMs).toISOString();
  const problem = file.problem() === "" ? "" : `; ${file.problem()}`;
  return {
    ok: true,
    make,
    secrets: [],
    shown: ` (thumbprint ${thumbprint}, valid until ${until}${problem})`,
  };
}

async function byTokenFile(clientId: string, tokenFilePath: string): Promise<Proof> {
  const read = await readFilled("AZURE_FEDERATED_TOKEN_FILE", tokenFilePath);
  if (!read.ok) {
    const fix =
      'Check that the pod has the label azure.workload.identity/use: "true" and the service account, or correct the path.';
    return unreadable(read.problem, fix);
  }
  const make = (tenantId: string, options: LibraryOptions) =>
    new WorkloadIdentityCredential({ ...options, tenantId, clientId, tokenFilePath });
  return { ok: true, make, secrets: [read.value], shown: "" };
}

function byIdentity(clientId: string, proof: AcquiredToken): Proof {
  if (!proof.ok) return proof;
  const make = (tenantId: string, options: LibraryOptions) =>
    new ClientAssertionCredential(tenantId, clientId, () => Promise.resolve(proof.token), options);
  return { ok: true, make, secrets: [proof.token], shown: "" };
}

/** No tenant can be served without it. */
function unreadable(problem: string, fix: string): TokenFailure {
  return { ok: false, reason: "application", detail: problem, fix };
}

function ofTenant(tenantId: string, acquired: AcquiredToken): AcquiredToken {
  if (!acquired.ok) return acquired;
  const home = tenantOf(acquired.token);
  if (home === tenantId.toLowerCase()) return acquired; // 3
  const of = home === null ? "of a tenant that it does not name" : `of tenant ${home}`;
  const detail = `the token is ${of}, not of tenant ${tenantId}`;
  const fix =
    "A managed identity serves its home tenant only: correct AZURE_TENANT_ID, or let an app registration trust the identity (GRAPH_CREDENTIAL=managed-identity-federated).";
  return { ok: false, reason: "credential", detail, fix };
}

/** Who asks while one is under way shares its result: machines throttle hard. */
function joined<T>(ask: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let flight: Promise<T> | null = null;
  return (signal) => {
    flight ??= ask(signal).finally(() => {
      flight = null;
    });
    return flight;
  };
}
