/**
 * Every setting of the project, once: variable, type, default and help. Environment, flags, validation,
 * `--help` and docs/CONFIGURATION.md all come from this table.
 *
 * The flag of a variable is its name in lower case with dashes (`--kafka-brokers`); secrets have none, since
 * command lines are visible to every process of the machine.
 */
import type { Static, TSchema } from "typebox";
import {
  choice,
  duration,
  filled,
  flag,
  guid,
  guidText,
  hostPort,
  httpsUrl,
  type Kind,
  list,
  secretText,
  text,
  topicText,
  url,
  whole,
  workerAddress,
} from "./kinds.ts";

/** "auto": by what is set. */
export const credentialKinds = [
  "auto",
  "client-secret",
  "client-certificate",
  "workload-identity",
  "managed-identity-federated",
  "managed-identity",
  "azure-cli",
] as const;
export type CredentialKind = Exclude<(typeof credentialKinds)[number], "auto">;

export type Group = "log" | "azure" | "graph" | "worker" | "serve" | "process";

export interface Setting<T extends TSchema = TSchema, D = unknown> {
  readonly variable: string;
  readonly group: Group;
  readonly schema: T;
  /** Null: unset stays null. */
  readonly fallback: D;
  /** What a right value looks like; completes "… is not". */
  readonly expects: string;
  /** A value that a user could type. */
  readonly example: string;
  readonly help: string;
  readonly secret: boolean;
}

// biome-ignore lint/complexity/useMaxParams: the columns of the table below
function setting<T extends TSchema, D extends Static<T> | null>(
  variable: string,
  group: Group,
  kind: Kind<T>,
  fallback: D,
  example: string,
  help: string,
  secret = false,
): Setting<T, D> {
  return { variable, group, ...kind, fallback, example, help, secret };
}

// biome-ignore format: reads as a table
export const table = {
  kafkaBrokers: setting("KAFKA_BROKERS", "log", list(hostPort, "a list host:port,host:port, ports from 1 to 65535"), null, "localhost:9092",
    "Kafka bootstrap brokers, comma-separated. Unset: the embedded log in DATA_DIR."),
  kafkaFlavor: setting("KAFKA_FLAVOR", "log", choice("auto", "kafka", "event-hubs"), "auto", "event-hubs",
    "What answers there: Apache Kafka (or what behaves like it), or Azure Event Hubs. auto: Event Hubs where KAFKA_BROKERS names a namespace (*.servicebus.windows.net, .usgovcloudapi.net, .chinacloudapi.cn)."),
  kafkaClientId: setting("KAFKA_CLIENT_ID", "log", filled, "connector-registrar", "registrar-1",
    "Client id shown in the broker's logs and quotas."),
  kafkaGroupId: setting("KAFKA_GROUP_ID", "log", filled, "connector-registrar", "connector-registrar",
    "Consumer group; all workers of one installation share it."),
  kafkaGroupInstanceId: setting("KAFKA_GROUP_INSTANCE_ID", "log", text(`^(?!\\.{1,2}$)${topicText}{1,200}$`, "letters, digits, dots, dashes and underscores, 200 at most"), null, "registrar-1",
    "This worker's own name in the group (Kafka's group.instance.id), different for each worker: when it is stopped and starts again within KAFKA_SESSION_TIMEOUT_MS, it gets its partitions back, and the others keep theirs. Unset: the others take them over immediately."),
  kafkaTopicPrefix: setting("KAFKA_TOPIC_PREFIX", "log", text(`^${topicText}{0,200}$`, "letters, digits, dots, dashes and underscores"), "", "staging.",
    "Put in front of every topic name."),
  kafkaSessionTimeoutMs: setting("KAFKA_SESSION_TIMEOUT_MS", "log", whole(1_000, 1_800_000), 30_000, "30000",
    "How long a silent worker keeps its partitions."),
  kafkaMaxPartitionFetchBytes: setting("KAFKA_MAX_PARTITION_FETCH_BYTES", "log", whole(16_384, 16_777_216), 131_072, "131072",
    "Limit of one fetch for each partition; a single larger batch is still fetched. A lower value takes less memory and more CPU."),
  kafkaSsl: setting("KAFKA_SSL", "log", flag, false, "true",
    "Whether the brokers' port uses TLS."),
  kafkaCaFile: setting("KAFKA_CA_FILE", "log", filled, null, "./kafka-ca.pem",
    "PEM file of the certificate authorities that may sign the brokers' certificates. Unset: those that Node.js trusts."),
  kafkaClientCertFile: setting("KAFKA_CLIENT_CERT_FILE", "log", filled, null, "./kafka-client.pem",
    "PEM file of this client's certificate, for brokers that ask for one."),
  kafkaClientKeyFile: setting("KAFKA_CLIENT_KEY_FILE", "log", filled, null, "./kafka-client-key.pem",
    "PEM file of that certificate's private key, without a passphrase."),
  kafkaSaslMechanism: setting("KAFKA_SASL_MECHANISM", "log", choice("plain", "scram-sha-256", "scram-sha-512", "oauthbearer"), null, "scram-sha-512",
    "How to log in to the brokers. Unset: no login. oauthbearer: with a token, of an Azure identity or from KAFKA_OAUTH_TOKEN_ENDPOINT."),
  kafkaSaslUsername: setting("KAFKA_SASL_USERNAME", "log", filled, null, "connector-registrar",
    "User name of that login."),
  kafkaSaslPassword: setting("KAFKA_SASL_PASSWORD", "log", secretText, null, "<the password>",
    "Password of that login.", true),
  kafkaSaslPasswordFile: setting("KAFKA_SASL_PASSWORD_FILE", "log", filled, null, "/run/secrets/kafka-password",
    "File that holds KAFKA_SASL_PASSWORD, in its place. It is read again at each login to a broker."),
  kafkaOauthCredential: setting("KAFKA_OAUTH_CREDENTIAL", "log", choice("worker", "managed-identity", "azure-cli"), null, "managed-identity",
    "Which identity's Entra token the login uses. worker (the default without KAFKA_OAUTH_TOKEN_ENDPOINT): the identity that GRAPH_CREDENTIAL selects, in AZURE_TENANT_ID. managed-identity: this machine's; AZURE_MANAGED_IDENTITY_CLIENT_ID names it if there are several."),
  kafkaOauthTokenEndpoint: setting("KAFKA_OAUTH_TOKEN_ENDPOINT", "log", url, null, "https://<issuer>/oauth2/token",
    "Token endpoint of an OpenID Connect provider, which gives the token for client credentials. In place of KAFKA_OAUTH_CREDENTIAL."),
  kafkaOauthClientId: setting("KAFKA_OAUTH_CLIENT_ID", "log", filled, null, "connector-registrar",
    "Client id at that endpoint."),
  kafkaOauthClientSecret: setting("KAFKA_OAUTH_CLIENT_SECRET", "log", secretText, null, "<the client secret>",
    "Client secret at that endpoint.", true),
  kafkaOauthClientSecretFile: setting("KAFKA_OAUTH_CLIENT_SECRET_FILE", "log", filled, null, "/run/secrets/kafka-oauth-secret",
    "File that holds KAFKA_OAUTH_CLIENT_SECRET, in its place. It is read again for each token."),
  kafkaOauthScope: setting("KAFKA_OAUTH_SCOPE", "log", filled, null, "https://<namespace>.servicebus.windows.net/.default",
    "Scope of the token. Unset: of an Entra token, that of the Event Hubs namespace in KAFKA_BROKERS; from an endpoint, none."),
  kafkaOauthExtensions: setting("KAFKA_OAUTH_EXTENSIONS", "log", list("^(?!auth=)[A-Za-z]+=[\\x21-\\x2b\\x2d-\\x7e]+$", "a list name=value,name=value"), null, "logicalCluster=<lkc-id>,identityPoolId=<pool-id>",
    "SASL extensions that the login sends with the token; Confluent Cloud needs them."),
  kafkaOauthCaFile: setting("KAFKA_OAUTH_CA_FILE", "log", filled, null, "./issuer-ca.pem",
    "PEM file of one more certificate authority to trust for KAFKA_OAUTH_TOKEN_ENDPOINT."),
  publishTimeoutMs: setting("PUBLISH_TIMEOUT_MS", "log", whole(100, 300_000), null, "10000",
    "Limit of one append to the log. Unset: 10000; on Event Hubs 60000."),
  topicsCreate: setting("TOPICS_CREATE", "log", flag, null, "true",
    "Create missing topics with the right settings. Unset: true; on Event Hubs false."),
  topicsPartitions: setting("TOPICS_PARTITIONS", "log", whole(1, 1_000), 8, "8",
    "Partitions of topics that are created. Tenants are bound to partitions: on Kafka, `repartition` adds some later."),
  topicsReplicationFactor: setting("TOPICS_REPLICATION_FACTOR", "log", whole(1, 15), null, "3",
    "Replicas of topics that are created. Unset: the broker's default."),
  dataDir: setting("DATA_DIR", "log", filled, "data", "/var/lib/connector-registrar",
    "Directory of the embedded log. With Kafka it holds only snapshots, which make a restart quick and may be deleted."),

  graphCredential: setting("GRAPH_CREDENTIAL", "azure", choice(...credentialKinds), "auto", "client-certificate",
    "How the worker authenticates to Entra. auto: depends on which of the settings below is set; `doctor` and the first line of `start` say which."),
  azureTenantId: setting("AZURE_TENANT_ID", "azure", guidText, null, "<Directory (tenant) ID of your tenant>",
    "The tenant to register connectors in; default of ALLOWED_TENANTS and of `emit --tenant`. With TENANTS_FILE: the home tenant of the app, which is not served unless the file lists it."),
  azureClientId: setting("AZURE_CLIENT_ID", "azure", guidText, null, "<Application (client) ID of the app registration>",
    "Application (client) id of the app registration."),
  azureClientSecret: setting("AZURE_CLIENT_SECRET", "azure", secretText, null, "<value of the client secret>",
    "Client secret of the app registration (its value, not its id).", true),
  azureClientSecretFile: setting("AZURE_CLIENT_SECRET_FILE", "azure", filled, null, "/run/secrets/client-secret",
    "File that holds AZURE_CLIENT_SECRET, in its place. It is read again for each token, so that a new secret needs no restart."),
  azureClientCertificatePath: setting("AZURE_CLIENT_CERTIFICATE_PATH", "azure", filled, null, "/run/secrets/client-certificate.pem",
    "Certificate of the app registration with its private key (RSA): a PEM file, or PFX (.pfx, .p12). It is read again when it changes."),
  azureClientCertificatePassword: setting("AZURE_CLIENT_CERTIFICATE_PASSWORD", "azure", secretText, null, "<password of the key>",
    "Password of that private key, or of the PFX file.", true),
  azureClientCertificatePasswordFile: setting("AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE", "azure", filled, null, "/run/secrets/certificate-password",
    "File that holds AZURE_CLIENT_CERTIFICATE_PASSWORD, in its place. It is read again with the certificate."),
  azureClientSendCertificateChain: setting("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "azure", flag, false, "true",
    "Send the certificate's chain too, for apps that trust an issuer and a subject name in place of one certificate."),
  azureFederatedTokenFile: setting("AZURE_FEDERATED_TOKEN_FILE", "azure", filled, null, "/var/run/secrets/azure/tokens/azure-identity-token",
    "Token of a Kubernetes service account that the app registration trusts (workload identity; the webhook of AKS sets it). It is read again for each token."),
  azureManagedIdentityClientId: setting("AZURE_MANAGED_IDENTITY_CLIENT_ID", "azure", guidText, null, "<Client ID of the managed identity>",
    "Managed identity of this machine. With AZURE_CLIENT_ID of an app that trusts it: in place of the app's secret, for any tenant. Without: its own tokens, for its home tenant only."),
  azureAuthorityHost: setting("AZURE_AUTHORITY_HOST", "azure", httpsUrl, null, "https://login.microsoftonline.com",
    "Where tokens come from. Unset: the authority of GRAPH_CLOUD."),
  allowedTenants: setting("ALLOWED_TENANTS", "azure", list(`^${guid}$`, "a list of tenant GUIDs"), null, "<tenant ids, comma-separated>",
    "Tenants whose enrollments are accepted, comma-separated; others go to the dead letters. Where it is not set: AZURE_TENANT_ID. `emit --count` spreads its samples over them."),
  tenantsFile: setting("TENANTS_FILE", "azure", filled, null, "/etc/connector-registrar/tenants.json",
    "JSON file of the tenants that are served, in place of ALLOWED_TENANTS: also in several clouds, with apps and limits of their own, or paused (schemas/tenants.schema.json). It is read again when it changes, and on SIGHUP."),

  graphCloud: setting("GRAPH_CLOUD", "graph", choice("global", "us-gov", "us-dod", "china"), "global", "global",
    "National cloud: its Graph and authority addresses."),
  graphBaseUrl: setting("GRAPH_BASE_URL", "graph", url, null, "https://localhost:8443",
    "Graph's address, without a version: an emulator or a proxy. Unset: that of GRAPH_CLOUD."),
  graphCaFile: setting("GRAPH_CA_FILE", "graph", filled, null, "./emulator-ca.pem",
    "PEM file of one more certificate authority to trust for Graph and the authority."),
  graphRequestTimeoutMs: setting("GRAPH_REQUEST_TIMEOUT_MS", "graph", whole(100, 300_000), 8_000, "8000",
    "Limit of one Graph request; beyond it the outcome is looked up."),
  graphOrphanMs: setting("GRAPH_ORPHAN_MS", "graph", whole(0, 900_000), 120_000, "120000",
    "For how long the kernel of a worker that was killed may continue to send its last requests. Where Graph ignores ids, a take-over waits this long before it posts again what it can't find."),
  graphSendId: setting("GRAPH_SEND_ID", "graph", choice("deterministic", "omit"), "deterministic", "deterministic",
    "Whether a create names the object's id, so that a repeated create is answered 409."),
  graphMaxInFlight: setting("GRAPH_MAX_IN_FLIGHT", "graph", whole(1, 1_000), 32, "32",
    "Graph requests under way at a time."),
  graphBatchMax: setting("GRAPH_BATCH_MAX", "graph", whole(1, 20), 20, "20",
    "Creates in one $batch request; 1 turns batches off."),
  graphWritesPer20s: setting("GRAPH_WRITES_PER_20S", "graph", whole(0, 1_000_000), 100, "100",
    "Creates for one tenant in 20 seconds: Intune's documented limit. 0 turns pacing off."),
  graphListsPer20s: setting("GRAPH_LISTS_PER_20S", "graph", whole(0, 1_000_000), 100, "100",
    "Lists of one tenant's objects in 20 seconds, to find out about lost replies. 0 turns pacing off."),

  windowRecords: setting("WINDOW_RECORDS", "worker", whole(1, 100_000), 1_000, "1000",
    "Unsettled records held for each partition."),
  attemptAhead: setting("ATTEMPT_AHEAD", "worker", whole(1, 100_000), 1_000, "1000",
    "How many offsets a commit promises ahead; after a crash this many are looked up in Graph."),
  maxAttempts: setting("MAX_ATTEMPTS", "worker", whole(1, 1_000), 16, "16",
    "Attempts for one record, while others succeed, before it is dead-lettered."),
  commitIntervalMs: setting("COMMIT_INTERVAL_MS", "worker", whole(0, 60_000), null, "100",
    "Least time between two ordinary commits. Unset: 100; on Event Hubs 1000, which delays what comes more often than 4 times a second."),
  settleMs: setting("SETTLE_MS", "worker", whole(200, 900_000), null, "20000",
    "Wait for requests of a vanished worker to end. Unset: GRAPH_REQUEST_TIMEOUT_MS + PUBLISH_TIMEOUT_MS + 2000."),
  rereadCount: setting("REREAD_COUNT", "worker", whole(1, 20), 3, "3",
    "Looks at Graph's list before an unknown outcome counts as not created."),
  rereadDelayMs: setting("REREAD_DELAY_MS", "worker", whole(1, 60_000), 2_000, "2000",
    "Time between those looks."),
  tenantBlockedMax: setting("TENANT_BLOCKED_MAX", "worker", duration, "24h", "24h",
    "How long Graph may refuse a tenant (401, 403, no licence) before the tenant's records are dead-lettered."),
  onRetentionGap: setting("ON_RETENTION_GAP", "worker", choice("stop", "continue"), "stop", "continue",
    "What to do when retention deleted unsettled records."),

  servePort: setting("SERVE_PORT", "serve", whole(0, 65_535), 8_090, "8090",
    "Port of `serve`; 0 takes any free one."),
  serveHost: setting("SERVE_HOST", "serve", text("^[A-Za-z0-9.:_-]+$", "a host name or address"), "127.0.0.1", "0.0.0.0",
    "Address that `serve` binds to. Beyond this machine only with TOKENS_FILE or SERVE_ENTRA_AUDIENCE, and with TLS."),
  tokensFile: setting("TOKENS_FILE", "serve", filled, null, "/etc/connector-registrar/tokens.json",
    "JSON file of the tokens that `serve` accepts, as hashes; `tokens` writes it. It is read again when it changes."),
  serveEntraAudience: setting("SERVE_ENTRA_AUDIENCE", "serve", filled, null, "api://connector-registrar",
    "Audience of Entra access tokens that `serve` accepts, each for its own tenant. Unset: none."),
  serveEntraRole: setting("SERVE_ENTRA_ROLE", "serve", filled, "Enrollments.Write", "Enrollments.Write",
    "Application role that these access tokens must hold."),
  serveTlsCertFile: setting("SERVE_TLS_CERT_FILE", "serve", filled, null, "./serve.pem",
    "PEM file of the certificate with its chain, for https. It is read again when it changes."),
  serveTlsKeyFile: setting("SERVE_TLS_KEY_FILE", "serve", filled, null, "./serve-key.pem",
    "PEM file of that certificate's private key, without a passphrase. It is read again when it changes."),
  serveBehindProxy: setting("SERVE_BEHIND_PROXY", "serve", flag, false, "true",
    "A proxy in front terminates TLS, and only it can reach SERVE_PORT."),
  serveEventsPerS: setting("SERVE_EVENTS_PER_S", "serve", whole(0, 1_000_000), 200, "200",
    "Events a second for each token; a burst may hold ten seconds' worth. 0: no limit."),
  serveWorkers: setting("SERVE_WORKERS", "serve", list(`^${workerAddress}`, "a list http://host:port,http://host:port"), null, "http://registrar:8080",
    "Addresses of the workers' HTTP_PORT, comma-separated, for the console; a name may stand for several. Unset: only the worker of its own process."),
  serveMaxConnections: setting("SERVE_MAX_CONNECTIONS", "serve", whole(1, 100_000), 2_000, "2000",
    "Connections at a time; those beyond are closed."),

  httpPort: setting("HTTP_PORT", "process", whole(0, 65_535), null, "8080",
    "Port of /livez, /readyz and /metrics; 0 takes any free one. Unset: no server."),
  httpHost: setting("HTTP_HOST", "process", text("^[A-Za-z0-9.:_-]+$", "a host name or address"), "127.0.0.1", "0.0.0.0",
    "Address that the server binds to."),
  logLevel: setting("LOG_LEVEL", "process", choice("trace", "debug", "info", "warn", "error", "fatal", "silent"), "info", "info",
    "Least level that is logged."),
  logFormat: setting("LOG_FORMAT", "process", choice("auto", "json", "text"), "auto", "json",
    "One JSON object a line, or lines for people. auto: text on a terminal, json elsewhere."),
  shutdownTimeoutMs: setting("SHUTDOWN_TIMEOUT_MS", "process", whole(0, 600_000), 9_000, "9000",
    "Limit of a stop as a whole, from SIGTERM, SIGINT or SIGHUP to the end of the process."),
} as const;

export type SettingName = keyof typeof table;

/** As given: what is unset and has no default is null. `load.ts` fills in what derives from others. */
export type GivenSettings = {
  -readonly [K in SettingName]: (typeof table)[K] extends Setting<infer T, infer D>
    ? Static<T> | (null extends D ? null : never)
    : never;
};

/** What follows from other settings where it is not set. */
type Derived =
  | "kafkaFlavor"
  | "publishTimeoutMs"
  | "commitIntervalMs"
  | "topicsCreate"
  | "settleMs"
  | "allowedTenants";

export interface CredentialChoice {
  readonly kind: CredentialKind;
  /** Completes "…, since". */
  readonly why: string;
}

export interface Settings extends Omit<GivenSettings, Derived> {
  /** Null: none is set. */
  credential: CredentialChoice | null;
  kafkaFlavor: Exclude<GivenSettings["kafkaFlavor"], "auto">;
  publishTimeoutMs: number;
  commitIntervalMs: number;
  topicsCreate: boolean;
  settleMs: number;
  /** Lower-case GUIDs. */
  allowedTenants: string[];
}

export const settingNames = Object.keys(table) as SettingName[];

export function flagName(setting: Setting): string {
  return setting.variable.toLowerCase().replaceAll("_", "-");
}
