/** Where the tokens for logins to Kafka come from: the settings in the words of the adapters. */
import { eventHubsHost } from "../config/event-hubs-host.ts";
import { homeTenantOf } from "../config/lint-kafka-oauth.ts";
import type { Settings } from "../config/table.ts";
import { authorityOf } from "../graph/clouds.ts";
import { connectorsFor } from "../graph/connectors.ts";
import { createAppCredential } from "../graph/credentials/app-credential.ts";
import { openAuthority } from "../graph/credentials/authority-client.ts";
import { cliToken } from "../graph/credentials/azure-cli.ts";
import { identityToken } from "../graph/credentials/managed-identity.ts";
import type { AcquiredToken } from "../graph/credentials/token-cache.ts";
import { endpointToken } from "../graph/credentials/token-endpoint.ts";
import { createTokenKeeper, type TokenKeeper, type TokenSource } from "../log/kafka/cluster/token-keeper.ts";
import type { Clock } from "../ports.ts";
import { graphSettings } from "./graph-settings.ts";

type Acquire = (signal: AbortSignal) => Promise<AcquiredToken>;

const connectTimeoutMs = 5_000;
/** One for all that is opened with these settings, also by repeated tries. */
const keepers = new WeakMap<Settings, TokenKeeper>();

export function kafkaTokens(s: Settings, clock: Clock): TokenKeeper {
  const known = keepers.get(s);
  if (known !== undefined) return known;
  const acquire = s.kafkaOauthTokenEndpoint === null ? fromEntra(s, clock) : fromEndpoint(s, clock);
  const keeper = createTokenKeeper(sourceOf(acquire), clock);
  keepers.set(s, keeper);
  return keeper;
}

export function kafkaExtensions({ kafkaOauthExtensions }: Settings): ReadonlyMap<string, string> {
  return new Map(
    (kafkaOauthExtensions ?? []).map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function sourceOf(acquire: Acquire): TokenSource {
  return async (signal) => {
    const acquired = await acquire(signal);
    if (acquired.ok) return acquired;
    const { reason, detail, fix } = acquired;
    return { ok: false, refused: reason !== "connect", detail, ...(fix === undefined ? {} : { fix }) };
  };
}

function fromEndpoint(s: Settings, clock: Clock): Acquire {
  const [path, text] = [s.kafkaOauthClientSecretFile, s.kafkaOauthClientSecret ?? ""];
  const endpoint = {
    url: s.kafkaOauthTokenEndpoint!,
    clientId: s.kafkaOauthClientId ?? "",
    secret:
      path === null
        ? ({ from: "text", text } as const)
        : ({ from: "file", path, variable: "KAFKA_OAUTH_CLIENT_SECRET_FILE" } as const),
    scope: s.kafkaOauthScope,
    caFile: s.kafkaOauthCaFile,
    environment: process.env,
    variables: {
      url: "KAFKA_OAUTH_TOKEN_ENDPOINT",
      clientId: "KAFKA_OAUTH_CLIENT_ID",
      secret: "KAFKA_OAUTH_CLIENT_SECRET",
      scope: "KAFKA_OAUTH_SCOPE",
      caFile: "KAFKA_OAUTH_CA_FILE",
    },
  };
  return (signal) => endpointToken(endpoint, clock, signal);
}

function fromEntra(s: Settings, clock: Clock): Acquire {
  const scope = s.kafkaOauthScope ?? `https://${eventHubsHost(s.kafkaBrokers)}/.default`;
  const app = graphSettings(s);
  const authorityHost = authorityOf(app);
  const kind =
    (s.kafkaOauthCredential ?? "worker") === "worker" ? s.credential?.kind : s.kafkaOauthCredential;
  if (kind === "azure-cli") return (signal) => cliToken(s.azureTenantId, scope, signal);
  if (kind === "managed-identity") {
    const isOwn = app.credential.kind === "managed-identity";
    const clientId = isOwn ? app.credential.identityClientId : s.azureManagedIdentityClientId;
    return (signal) => identityToken({ clientId, authorityHost }, scope, signal);
  }
  const { graphCaFile: caFile } = s;
  const connector = connectorsFor(
    { caFile, environment: process.env, connectTimeoutMs },
    clock,
  )(new URL(authorityHost));
  const authority = openAuthority(connector, 1, clock);
  const credential = createAppCredential(app, { authority, clock, scope });
  return (signal) => credential.token(homeTenantOf(s) ?? "", signal);
}
