/** Starts the Graph emulator: Entra, Graph and the control endpoint on one HTTPS server, and on HTTP if asked. */

import { randomBytes } from "node:crypto";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "./clock.ts";
import { readSettings } from "./control.ts";
import { emulatorCredential } from "./credential.ts";
import { type Cloud, clouds, graphsOf } from "./entra/clouds.ts";
import type { EntraSettings } from "./entra/grant.ts";
import { issuerOf } from "./entra/identity.ts";
import { lazyIdentityKeys } from "./entra/identity-keys.ts";
import type { EntraState } from "./entra/state.ts";
import { type Faults, faultProfile } from "./faults.ts";
import { newGraphState } from "./graph.ts";
import { emulatorHandler } from "./handler.ts";
import { inventoryOf } from "./model.ts";
import { seededRandom } from "./random.ts";
import type { GraphObject } from "./resource.ts";
import { defaultBehaviour, type GraphBehaviour } from "./settings.ts";
import { type EmulatorStats, statsOf } from "./stats.ts";
import { DataFileProblem, keptSettings, openStore, type Store } from "./store.ts";
import { makeCertificates } from "./tls.ts";

export interface EmulatorSettings {
  /** The one app's credential. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** Null, the default: any GUID is a tenant. */
  readonly allowedTenants?: readonly string[] | null;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0, the default: any free port. */
  readonly httpsPort?: number;
  /** Null, the default: no plain HTTP. 0: any free port. */
  readonly httpPort?: number | null;
  /** More names and addresses for the server certificate. */
  readonly extraHosts?: readonly string[];
  /** Keeps the certificate authority here (`ca.pem`, `ca-key.pem`) and uses it again. Default: a temporary one. */
  readonly caDir?: string | null;
  /** Keeps its data and what `/_control` sets in this file, and continues from it. Null, the default: nowhere. */
  readonly dataFile?: string | null;
  readonly tokenLifetimeMs?: number;
  /** The only cloud whose Graph it is, and has tokens for. Null, the default: all of them. */
  readonly cloud?: Cloud | null;
  /** What Entra knows, beside the secret above and the emulator's own managed identity. */
  readonly entra?: Partial<EntraState>;
  /** What IDENTITY_HEADER has to hold. */
  readonly identityHeader?: string;
  /** Decides about faults, latency and ids. */
  readonly seed?: number;
  readonly faults?: Faults;
  readonly behaviour?: Partial<GraphBehaviour>;
  readonly clock?: Clock;
}

export interface Emulator {
  readonly httpsUrl: string;
  readonly httpUrl: string | null;
  /** For AZURE_AUTHORITY_HOST. */
  readonly authorityHost: string;
  /** For NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  readonly caPem: string;
  /** Objects that exist now, by tenant, in order of creation. */
  inventory(): Record<string, GraphObject[]>;
  stats(): EmulatorStats;
  setFaults(faults: Faults): void;
  /** A setting that is not given stays unchanged. */
  setBehaviour(behaviour: Partial<GraphBehaviour>): void;
  /** A setting that is not given stays unchanged. */
  setEntra(changes: Partial<EntraState>): void;
  /** Forgets objects, throttling windows and counts; faults, behaviour and what Entra knows stay. */
  reset(): void;
  /** Closes the ports, so that connections are refused, until `resume`. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects when a port is taken or the host can't be bound, with the system's error; with DataFileProblem. */
export async function startEmulator(settings: EmulatorSettings): Promise<Emulator> {
  const clock = settings.clock ?? systemClock;
  const store = settings.dataFile == null ? null : await openStore(settings.dataFile, clock);
  try {
    return await startWith(settings, clock, store);
  } catch (error) {
    store?.close();
    throw error;
  }
}

async function startWith(settings: EmulatorSettings, clock: Clock, store: Store | null): Promise<Emulator> {
  const host = settings.host ?? "127.0.0.1";
  const behaviour = { ...defaultBehaviour, ...settings.behaviour };
  const state = newGraphState(behaviour, settings.faults ?? faultProfile("none"), store?.model());
  const signingKey = store?.signingKey() ?? randomBytes(32);
  const entra = entraSettings(settings, signingKey, () => roles[state.behaviour.permission]);
  if (store !== null) takeUp(settings.dataFile!, store, { state, entra });
  const certificates = await makeCertificates(
    settings.caDir ?? null,
    settings.extraHosts ?? [],
    clock.wallMs(),
  );
  const handler = emulatorHandler({ state, clock, random: seededRandom(settings.seed ?? 1), entra, store });
  const secure = createHttpsServer({ key: certificates.key, cert: certificates.cert }, handler.listener);
  const plain = settings.httpPort == null ? null : createHttpServer(handler.listener);
  const listeners: Listener[] = [{ server: secure, port: settings.httpsPort ?? 0 }];
  if (plain !== null) listeners.push({ server: plain, port: settings.httpPort ?? 0 });
  try {
    await openAll(listeners, host);
  } catch (error) {
    await closeAll(listeners);
    await certificates.remove();
    throw error;
  }
  const urlOf = (scheme: string, listener: Listener | undefined) =>
    listener === undefined ? null : `${scheme}://localhost:${listener.port}`;
  const httpsUrl = urlOf("https", listeners[0])!;
  return {
    httpsUrl,
    httpUrl: urlOf("http", listeners[1]),
    authorityHost: httpsUrl,
    caFile: certificates.caFile,
    caPem: certificates.caPem,
    inventory: () => inventoryOf(state.model),
    stats: () => statsOf(state.model, handler.counts()),
    setFaults: (faults) => {
      state.faults = faults;
    },
    setBehaviour: (changes) => {
      state.behaviour = { ...state.behaviour, ...changes };
    },
    setEntra: (changes) => {
      entra.state = { ...entra.state, ...changes };
    },
    reset: handler.reset,
    suspend: () => closeAll(listeners),
    resume: () => openAll(listeners, host),
    close: async () => {
      handler.close();
      await closeAll(listeners);
      await certificates.remove();
      store?.close();
    },
  };
}

/** What `PUT /_control` had set, on top of the flags. */
function takeUp(path: string, store: Store, parts: Parameters<typeof readSettings>[0]): void {
  for (const name of keptSettings) {
    const given = store.settings(name);
    if (given === undefined) continue;
    const checked = readSettings(parts, name, given);
    if (!checked.ok) {
      const what = `holds ${name} that this version of the emulator does not take: ${checked.message.replace(/\.$/, "")}`;
      throw new DataFileProblem(path, what, "Use the version of the emulator that made it, or another file.");
    }
    checked.value.set();
  }
}

interface Listener {
  readonly server: Server;
  /** Once open, the port that it has, and gets again. */
  port: number;
}

/** Above the keep-alive of usual clients, so that the server is never the one who hangs up an idle connection. */
const keepAliveTimeoutMs = 120_000;
const defaultTokenLifetimeMs = 3_599_000;

const roles: Readonly<Record<GraphBehaviour["permission"], readonly string[]>> = {
  "read-write": ["DeviceManagementConfiguration.ReadWrite.All"],
  read: ["DeviceManagementConfiguration.Read.All"],
  none: [],
};

function entraSettings(
  settings: EmulatorSettings,
  signingKey: Uint8Array,
  granted: EntraSettings["roles"],
): EntraSettings {
  const { cloud = null, allowedTenants = null } = settings;
  const audiences = graphsOf(cloud);
  const others = graphsOf(null).filter((graph) => !audiences.includes(graph));
  return {
    clientId: settings.clientId,
    allowedTenants,
    tokenLifetimeMs: settings.tokenLifetimeMs ?? defaultTokenLifetimeMs,
    audiences,
    isOfOtherCloud: (audience) => others.includes(audience),
    signingKey,
    roles: granted,
    state: { ...knownAtFirst(settings), ...settings.entra },
    identityHeader: settings.identityHeader ?? emulatorCredential.identityHeader,
    identityKeys: lazyIdentityKeys(),
  };
}

/** The application trusts the emulator's own managed identity, whose home is the first tenant. */
function knownAtFirst({ clientSecret, allowedTenants, cloud }: EmulatorSettings): EntraState {
  const tenantId = allowedTenants?.[0] ?? emulatorCredential.tenantId;
  const { clientId, principalId } = emulatorCredential.identity;
  const audience = clouds[cloud ?? "global"].exchange;
  return {
    secret: "valid",
    certificate: "valid",
    secrets: [clientSecret],
    certificates: [],
    federated: [{ issuer: issuerOf(tenantId), subject: principalId, audience, keys: null }],
    identities: [{ clientId, principalId, tenantId }],
    tenants: {},
  };
}

async function openAll(listeners: readonly Listener[], host: string): Promise<void> {
  for (const listener of listeners) {
    const { server } = listener;
    server.keepAliveTimeout = keepAliveTimeoutMs;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(listener.port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    listener.port = (server.address() as AddressInfo).port;
  }
}

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  const closing = listeners
    .filter(({ server }) => server.listening)
    .map(({ server }) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    });
  await Promise.all(closing);
}
