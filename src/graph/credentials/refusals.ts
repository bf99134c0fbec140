/**
 * The meaning of Entra's error numbers: what they affect, and what to type. Pure. By the published list of Entra's error codes, and
 * by what was seen of it in public issue threads.
 *
 * "app": no tenant can be served until the application's own credential, or its registration, is put right. "tenant": this
 * tenant can't. "passing": it may pass by itself, and says nothing about either. A number that is not in the table
 * counts for the tenant alone: one more tenant that waits does less harm than all of them.
 */

export type Reach = "app" | "tenant" | "passing";

export interface Refusal {
  readonly reach: Reach;
  /** Completes "the authority refuses …: ". */
  readonly what: string;
  /** What to type or do, as a sentence. */
  readonly fix: string;
}

const newSecret =
  "Set AZURE_CLIENT_SECRET to a valid secret's value (not its id), or put it into AZURE_CLIENT_SECRET_FILE.";
const registerCertificate =
  "Upload the certificate to the app registration, or replace the file AZURE_CLIENT_CERTIFICATE_PATH by one that is there.";
const federation =
  "Compare issuer, subject and audience (upper and lower case count) with the federated credentials of the app registration; a new one takes minutes to be known everywhere.";
const clientId = "Correct AZURE_CLIENT_ID.";
/** `doctor` puts the address itself in place of these words. */
const consent = "et an administrator of the tenant open the address of consent that `doctor` shows.";
const cloud = "Correct the tenant id, or GRAPH_CLOUD and AZURE_AUTHORITY_HOST.";
const wait = "Nothing is to be done: it is tried again.";

const app = (what: string, fix: string): Refusal => ({ reach: "app", what, fix });
const tenant = (what: string, fix: string): Refusal => ({ reach: "tenant", what, fix });
const passing = (what: string): Refusal => ({ reach: "passing", what, fix: wait });

// biome-ignore format: reads as a table
export const refusals: ReadonlyMap<number, Refusal> = new Map([
  // The secret.
  [7000215, app("the secret is wrong (its value is needed, not its id)", newSecret)],
  [7000222, app("the secret has expired", "Create a new secret and set AZURE_CLIENT_SECRET, or put it into AZURE_CLIENT_SECRET_FILE.")],
  [7000216, app("no secret arrived", newSecret)],
  [7000218, app("no secret arrived", newSecret)],
  // The certificate.
  [700027, app("the certificate is not one of the application's, or has expired", registerCertificate)],
  [700023, app("the assertion is for another authority", "Correct AZURE_AUTHORITY_HOST, or unset it.")],
  [700021, app("the assertion is of another application", clientId)],
  [700024, app("the assertion's time is over, or has not come", "Correct this machine's clock; of a federated token: find out why its file is not renewed.")],
  [50012, app("the certificate or assertion is not valid", registerCertificate)],
  [50027, app("the assertion can't be read", "Check that the file AZURE_FEDERATED_TOKEN_FILE holds a token.")],
  [700025, app("the app registration is a public client, which has no credential", "Set 'Allow public client flows' of the app registration to No.")],
  // Federated tokens: workload identity, managed identity.
  [50013, app("the signature of the federated token is not that of its issuer", federation)],
  [70021, app("the application trusts no such federated token", federation)],
  [700211, app("the application trusts no federated token of this issuer", federation)],
  [700212, app("the application trusts no federated token for this audience", federation)],
  [700213, app("the application trusts no federated token of this subject", federation)],
  [7002138, app("the application trusts no federated token of this subject in this spelling", federation)],
  [700222, app("tokens of Entra are not taken as federated tokens here", federation)],
  [700229, app("only tokens of an application or a managed identity are taken as federated tokens", federation)],
  [700236, app("tokens of Entra are not taken as federated tokens in the application's tenant", federation)],
  [7000272, app("the federated token is not valid", federation)],
  // The application in the tenant.
  [700016, tenant("the tenant does not know the application", `Correct AZURE_CLIENT_ID; if it is right, l${consent}`)],
  [7000229, tenant("the application was not granted in the tenant", `L${consent}`)],
  [65001, tenant("no administrator of the tenant has consented to the application", `L${consent}`)],
  [650052, tenant("the tenant has no Graph to consent to", `L${consent}`)],
  [501051, tenant("the tenant assigns no role to the application", `L${consent}`)],
  [7000112, tenant("the application is disabled", "Let an administrator enable sign-in of the application, in the tenant's enterprise applications.")],
  [500014, tenant("Graph is disabled in the tenant", "Let an administrator of the tenant enable Microsoft Graph in its enterprise applications.")],
  [53003, tenant("conditional access of the tenant refuses the application", "Let an administrator of the tenant take the application, or this machine's address, out of the policy for workload identities.")],
  [530032, tenant("a security policy of the tenant refuses the application", "Let an administrator of the tenant take the application out of the policy.")],
  [500021, tenant("restrictions on this network keep the tenant out", "Let the administrator of the proxy allow the tenant.")],
  [5000225, tenant("the tenant is blocked since it was not used", "Let an administrator of the tenant ask Microsoft to unblock it, or take it out of ALLOWED_TENANTS.")],
  // The tenant.
  [90002, tenant("there is no such tenant in this cloud", cloud)],
  [900023, tenant("the tenant id is malformed", "Correct AZURE_TENANT_ID or ALLOWED_TENANTS.")],
  [90038, tenant("the tenant is in another cloud", cloud)],
  [900382, tenant("the application is in another cloud than the tenant", cloud)],
  [500011, tenant("the tenant has no Graph under this scope", "Correct GRAPH_CLOUD.")],
  [1002012, tenant("the scope is not valid", "Correct GRAPH_CLOUD.")],
  [70011, tenant("the scope is not valid", "Correct GRAPH_CLOUD.")],
  // Entra itself.
  [50196, passing("it was asked too often")],
  [90012, passing("it took too long")],
  [90024, passing("it is overloaded")],
  [90033, passing("it is not available for now")],
  [90055, passing("too many requests came in")],
]);

export const generalFix = "Check AZURE_CLIENT_ID, the credential and the tenant id.";

/** Of a number as it stands in messages (AADSTS7000215); null: none. */
export function refusalOf(number: string | undefined): Refusal | null {
  return refusals.get(Number(number?.replace("AADSTS", ""))) ?? null;
}
