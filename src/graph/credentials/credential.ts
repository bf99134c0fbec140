/** What an application shows to Entra, as settings say it. Files are read when a token is needed, not before. */
import type { CloudName } from "../clouds.ts";

/** A secret text; a file is read again each time. `variable`: for messages. */
export type SecretText =
  | { readonly from: "text"; readonly text: string }
  | { readonly from: "file"; readonly path: string; readonly variable: string };

export type Credential =
  | { readonly kind: "client-secret"; readonly secret: SecretText }
  | {
      readonly kind: "client-certificate";
      /** PEM or PFX, with the private key. */
      readonly path: string;
      readonly password: SecretText | null;
      readonly sendChain: boolean;
    }
  | { readonly kind: "workload-identity"; readonly tokenFile: string }
  /** A managed identity in place of the application's secret. */
  | { readonly kind: "managed-identity-federated"; readonly identityClientId: string }
  /** The identity itself: it has tokens for its home tenant only. Null: the system-assigned one. */
  | { readonly kind: "managed-identity"; readonly identityClientId: string | null }
  | { readonly kind: "azure-cli" };

/** One application in one cloud: what has one credential, and any number of tenants. */
export interface AppSettings {
  readonly cloud: CloudName;
  /** "" for the kinds that are not an application. */
  readonly clientId: string;
  readonly credential: Credential;
  /** In place of the cloud's authority; https:// only. */
  readonly authorityHost: string | null;
}
