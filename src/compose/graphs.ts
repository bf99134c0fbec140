/** Graph of each cloud with tenants, now or later, each tenant with its own application, behind one port. */
import type { Settings } from "../config/table.ts";
import { routeByCloud } from "../graph/by-cloud.ts";
import type { CloudName } from "../graph/clouds.ts";
import { connectorsFor } from "../graph/connectors.ts";
import type { TenantApp } from "../graph/credentials/apps.ts";
import type { Credential } from "../graph/credentials/credential.ts";
import type { CertificateNote } from "../graph/credentials/files.ts";
import { type OpenedGraph, openGraph } from "../graph/graph-client.ts";
import type { Clock } from "../ports.ts";
import type { Tenant, TenantCredential } from "../tenants/definition.ts";
import { graphSettings } from "./graph-settings.ts";
import type { Tenants } from "./tenants.ts";

export function openGraphs(
  settings: Settings,
  tenants: Tenants,
  {
    clock,
    onCertificate,
  }: { readonly clock: Clock; readonly onCertificate: (note: CertificateNote) => void },
): OpenedGraph {
  const { served } = tenants;
  const common = graphSettings(settings);
  const appOf = appsOf(common, served);
  const { caFile = null, environment = {}, requestTimeoutMs: connectTimeoutMs } = common;
  // Once: a cloud may be opened later, when the file may be gone.
  const connectTo = connectorsFor({ caFile, environment, connectTimeoutMs }, clock);
  const open = (name: string): OpenedGraph => {
    const cloud = name as CloudName;
    const addresses = cloud === settings.graphCloud ? {} : addressesOf(tenants.content.clouds[cloud]);
    return openGraph({ ...common, ...addresses, cloud, appOf, connectTo, onCertificate }, clock);
  };
  const opened = routeByCloud(open, served.cloudOf, served.clouds());
  served.onChange((tenantIds) => {
    for (const tenantId of tenantIds) opened.forgetToken(tenantId);
  });
  return opened;
}

/** Those of GRAPH_CLOUD count for it alone. */
function addressesOf(given: { readonly graphUrl?: string; readonly authorityHost?: string } = {}) {
  return { baseUrl: given.graphUrl ?? null, authorityHost: given.authorityHost ?? null };
}

/** The same object for the same entry, as long as the list says the same of it. */
function appsOf(common: TenantApp, { entryOf }: Tenants["served"]): (tenantId: string) => TenantApp {
  const known = new WeakMap<Tenant, TenantApp>();
  return (tenantId) => {
    const entry = entryOf(tenantId);
    if (entry === null || (entry.clientId === undefined && entry.credential === undefined)) return common;
    const app = known.get(entry) ?? appOf(common, entry);
    known.set(entry, app);
    return app;
  };
}

function appOf(common: TenantApp, { clientId, credential }: Tenant): TenantApp {
  return {
    clientId: clientId ?? common.clientId,
    credential: credential === undefined ? common.credential : credentialOf(credential),
  };
}

function credentialOf(given: TenantCredential): Credential {
  switch (given.kind) {
    case "client-secret":
      return { kind: given.kind, secret: fileOf(given.secretFile, "secretFile") };
    case "client-certificate": {
      const { certificateFile: path, passwordFile, sendChain = false } = given;
      const password = passwordFile === undefined ? null : fileOf(passwordFile, "passwordFile");
      return { kind: given.kind, path, password, sendChain };
    }
    case "workload-identity":
      return { kind: given.kind, tokenFile: given.tokenFile };
    case "managed-identity-federated":
      return { kind: given.kind, identityClientId: given.identityClientId };
  }
}

function fileOf(path: string, member: string) {
  return { from: "file", path, variable: `${member} of TENANTS_FILE` } as const;
}
