/**
 * The applications that serve tenants in one cloud: each tenant has one, most have the same. What one of them is refused counts
 * for its own tenants only.
 */
import type { CloudName } from "../clouds.ts";
import { type AppCredential, type AppCredentialParts, createAppCredential } from "./app-credential.ts";
import type { AppSettings } from "./credential.ts";
import type { TokenSource } from "./token-cache.ts";

/** Of one tenant; the cloud and its authority are the same for all. */
export type TenantApp = Pick<AppSettings, "clientId" | "credential">;

export interface Apps {
  readonly token: TokenSource;
  /** Of the certificates in use. */
  expiries(): { readonly application: string; readonly expiresAtWallMs: number }[];
}

/** More than these are made again when they are needed, the oldest first. */
const appsMax = 1_000;

export function createApps(
  { cloud, authorityHost }: { readonly cloud: CloudName; readonly authorityHost: string | null },
  appOf: (tenantId: string) => TenantApp,
  parts: AppCredentialParts,
): Apps {
  const made = new Map<string, { readonly app: TenantApp; readonly credential: AppCredential }>();
  /** What a tenant was given last: settings are the same objects until they change. */
  const last = new WeakMap<object, AppCredential>();
  return {
    token(tenantId, signal) {
      const app = appOf(tenantId);
      const credential = last.get(app) ?? credentialOf(app);
      last.set(app, credential);
      return credential.token(tenantId, signal);
    },
    expiries: () =>
      [...made.values()].flatMap(({ app, credential }) => {
        const expiresAtWallMs = credential.expiresAtWallMs();
        return expiresAtWallMs === null ? [] : [{ application: app.clientId, expiresAtWallMs }];
      }),
  };

  function credentialOf(app: TenantApp): AppCredential {
    const key = JSON.stringify([app.clientId.toLowerCase(), app.credential]);
    const known = made.get(key)?.credential;
    if (known !== undefined) return known;
    const credential = createAppCredential({ ...app, cloud, authorityHost }, parts);
    if (made.size >= appsMax) made.delete(made.keys().next().value!);
    made.set(key, { app, credential });
    return credential;
  }
}
