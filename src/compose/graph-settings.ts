/** Settings in the words of the Graph adapter. */
import type { Settings } from "../config/table.ts";
import { authorityOfOtherCloud, graphAddresses } from "../graph/clouds.ts";
import type { Credential, SecretText } from "../graph/credentials/credential.ts";
import type { GraphSettings } from "../graph/graph-client.ts";
import { proxyFor } from "../graph/proxy.ts";

/** What was chosen; callers have made sure that there is one. */
function credentialOf(s: Settings): Credential {
  const kind = s.credential?.kind ?? "client-secret";
  switch (kind) {
    case "client-secret":
      return {
        kind,
        secret: secretOf("AZURE_CLIENT_SECRET_FILE", s.azureClientSecretFile, s.azureClientSecret),
      };
    case "client-certificate": {
      const [file, text] = [s.azureClientCertificatePasswordFile, s.azureClientCertificatePassword];
      const hasPassword = file !== null || text !== null;
      return {
        kind,
        path: s.azureClientCertificatePath ?? "",
        password: hasPassword ? secretOf("AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE", file, text) : null,
        sendChain: s.azureClientSendCertificateChain,
      };
    }
    case "workload-identity":
      return { kind, tokenFile: s.azureFederatedTokenFile ?? "" };
    case "managed-identity-federated":
      return { kind, identityClientId: s.azureManagedIdentityClientId ?? "" };
    case "managed-identity":
      return { kind, identityClientId: s.azureManagedIdentityClientId ?? s.azureClientId };
    case "azure-cli":
      return { kind };
  }
}

/** A file is read again for each token. */
function secretOf(variable: string, path: string | null, text: string | null): SecretText {
  return path === null ? { from: "text", text: text ?? "" } : { from: "file", path, variable };
}

export function graphSettings(s: Settings): GraphSettings {
  return {
    cloud: s.graphCloud,
    baseUrl: s.graphBaseUrl,
    authorityHost: s.azureAuthorityHost,
    clientId: s.azureClientId ?? "",
    credential: credentialOf(s),
    requestTimeoutMs: s.graphRequestTimeoutMs,
    maxConnections: s.graphMaxInFlight,
    environment: process.env,
    ...(s.graphCaFile === null ? {} : { caFile: s.graphCaFile }),
  };
}

/** The authority and Graph are of two clouds, which take nothing of each other; null: they are not. */
export function cloudsWarning(s: Settings): { readonly text: string; readonly fix: string } | null {
  const [name] = authorityOfOtherCloud(graphSettings(s));
  if (name === undefined) return null;
  const text = `AZURE_AUTHORITY_HOST=${s.azureAuthorityHost} is of the cloud ${name}, and GRAPH_CLOUD is ${s.graphCloud}: Graph refuses its tokens`;
  return { text, fix: `Type: export GRAPH_CLOUD=${name}, or: unset AZURE_AUTHORITY_HOST` };
}

/** Which credential is used, and why. */
export function credentialLine({ credential }: Settings): string {
  return credential === null ? "credential: none" : `credential: ${credential.kind}, since ${credential.why}`;
}

/** Which proxies requests go through, a line for each that does; no credentials. */
export function proxiesInUse(settings: Settings): string[] {
  const { graph, authority } = graphAddresses(graphSettings(settings));
  return [
    ["Graph", graph],
    ["tokens", authority],
  ].flatMap(([what, url]) => {
    const proxy = proxyFor(new URL(url!), process.env);
    return proxy === null ? [] : [`${what} (${url}) through ${proxy.origin}, by ${proxy.variable}`];
  });
}
