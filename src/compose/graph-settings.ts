/** Settings in the words of the Graph adapter. */
import type { Settings } from "../config/table.ts";
import { authorityOfOtherCloud, type CloudName, graphAddresses } from "../graph/clouds.ts";
import type { Credential, SecretText } from "../graph/credentials/credential.ts";
import type { GraphSettings } from "../graph/graph-client.ts";
import { proxyFor } from "../graph/proxy.ts";
import type { Tenants } from "./tenants.ts";

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

/** Of each cloud that tenants are in: its authority is another cloud's, and they take nothing of each other. */
export function cloudsWarnings(
  s: Settings,
  { served, content }: Tenants,
): { readonly text: string; readonly fix: string }[] {
  return (served.clouds() as CloudName[]).flatMap((cloud) => {
    const isOfSettings = cloud === s.graphCloud;
    const authorityHost = isOfSettings
      ? s.azureAuthorityHost
      : (content.clouds[cloud]?.authorityHost ?? null);
    const [name] = authorityOfOtherCloud({ cloud, authorityHost });
    if (name === undefined) return [];
    const refuses = "Graph refuses its tokens";
    if (isOfSettings) {
      const text = `AZURE_AUTHORITY_HOST=${authorityHost} is of the cloud ${name}, and GRAPH_CLOUD is ${cloud}: ${refuses}`;
      return [{ text, fix: `Type: export GRAPH_CLOUD=${name}, or: unset AZURE_AUTHORITY_HOST` }];
    }
    const text = `/clouds/${cloud}/authorityHost of TENANTS_FILE is ${authorityHost}, which is of the cloud ${name}: ${refuses}`;
    return [
      { text, fix: `Take it out of the file: ${cloud} has an authority of its own. Then start again.` },
    ];
  });
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
