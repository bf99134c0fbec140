/**
 * Every private part of kafkajs that this adapter relies on; no other file of src touches one, or imports from below
 * "kafkajs". docs/adr/0003-kafkajs-below-its-consumer.md says why they are needed.
 * test/log/kafka/kafkajs-internals.test.ts fails when a version of kafkajs has them otherwise.
 */

import type { Socket } from "node:net";
import { Kafka, type KafkaConfig, logLevel } from "kafkajs";
import { elapsedMs, type Moment } from "../../../moment.ts";
import type { Address } from "./addresses.ts";
import type { Broker } from "./broker.ts";
import type { ProtocolRequest } from "./protocol.ts";

export interface KafkajsCluster {
  connect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(by: { nodeId: string }): Promise<KafkajsBroker>;
  findControllerBroker(): Promise<KafkajsBroker>;
  findGroupCoordinator(by: { groupId: string }): Promise<KafkajsBroker>;
  readonly brokerPool: {
    versions: unknown;
    readonly metadata: unknown;
    findConnectedBroker(): Promise<unknown>;
  };
  readonly connectionPoolBuilder: {
    build(target?: Address): Promise<{ readonly pool: readonly KafkajsConnection[] }>;
  };
}

/** The requests that kafkajs encodes well enough have the form that `Broker` gives them. */
export interface KafkajsBroker extends Omit<Broker, "send"> {
  readonly connectionPool: {
    send<T>(request: KafkajsRequest<T>): Promise<T>;
    /** 0: of all requests but Fetch. 1: of Fetch. Connects it. */
    getConnection(index: 0 | 1): Promise<unknown>;
  };
}

interface KafkajsRequest<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ buf: Buffer; buffer: Buffer }>;
  };
  readonly response: { decode(answer: Buffer): Promise<T>; parse(answer: T): Promise<T> };
  /** Null: as the connection's settings have it. */
  readonly requestTimeout: number | null;
}

export interface KafkajsConnection {
  /** host:port */
  readonly broker: string;
  readonly socket: Socket;
  /** Of an answer that has begun to come. */
  readonly bytesBuffered: number;
  processData(bytes: Buffer): void;
  readonly requestQueue: {
    readonly inflight: ReadonlyMap<
      number,
      { readonly sentAt: number; readonly entry: { readonly apiName: string } }
    >;
    readonly pending: readonly unknown[];
    readonly throttleCheckTimeoutId: NodeJS.Timeout | null;
    createSocketRequest(pushed: unknown): object;
    maybeThrottle(forMs: number | null): void;
    scheduleCheckPendingRequests(): void;
    fulfillRequest(answer: unknown): void;
  };
}

/** The cluster object that kafkajs hands to a partition assigner. Not connected yet. */
export function createKafkajsCluster(
  settings: Omit<KafkaConfig, "logLevel" | "logCreator">,
  onConnectionFailed: (broker: string, reason: string) => void,
): KafkajsCluster {
  const kafka = new Kafka({
    ...settings,
    logLevel: logLevel.ERROR,
    logCreator:
      () =>
      ({ log }) => {
        const message = log.message.split("\n")[0] ?? "";
        if (typeof log.broker === "string" && message.startsWith("Connection "))
          onConnectionFailed(log.broker, message);
      },
  });
  const held: { cluster?: KafkajsCluster } = {};
  kafka.consumer({
    groupId: "unused",
    allowAutoTopicCreation: false,
    metadataMaxAge: 180_000,
    partitionAssigners: [
      ({ cluster }) => {
        held.cluster = cluster as unknown as KafkajsCluster;
        return {
          name: "unused",
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: "", metadata: Buffer.of() }),
        };
      },
    ],
  });
  return held.cluster!;
}

/** `nextSeed`: asked where kafkajs would choose a seed broker itself; it would cut an IPv6 address at its first colon. */
export function onConnectionCreated(
  { connectionPoolBuilder }: KafkajsCluster,
  nextSeed: () => Address,
  onCreated: (connection: KafkajsConnection) => void,
): void {
  const { build } = connectionPoolBuilder;
  connectionPoolBuilder.build = async (target) => {
    const pool = await build(target?.host ? target : { ...target, ...nextSeed() });
    for (const connection of pool.pool) onCreated(connection);
    return pool;
  };
}

/**
 * A broker that throttles a client stops to read from its connection (KIP-219): a request that is sent waits there, within its time-out,
 * and is seen to wait. kafkajs holds requests back itself, for as long as the broker says and by the wall clock; those are outside
 * every time-out. The timer for them it re-arms every millisecond, with a negative delay that Node warns of.
 */
export function holdNothingBack({ requestQueue: queue }: KafkajsConnection): void {
  queue.maybeThrottle = () => {};
  queue.scheduleCheckPendingRequests = () => {};
}

/** No answer to what this adapter asks is longer. Text, as of an HTTP server on that port, read as a length is. */
const frameBytesMax = 0x1000_0000;

/** kafkajs waits for frames of any length, and throws at those that have no room for their own head: the process would end. */
export function failOnWrongFrames(connection: KafkajsConnection): void {
  const read = connection.processData.bind(connection);
  connection.processData = (bytes) => {
    const isTooLong =
      connection.bytesBuffered === 0 && bytes.length >= 4 && bytes.readInt32BE(0) > frameBytesMax;
    try {
      if (!isTooLong) return read(bytes);
    } catch {
      // Said below.
    }
    connection.socket.destroy(new Error("what came is not Kafka's protocol"));
  };
}

export function onAnswer({ requestQueue }: KafkajsConnection, onAnswered: () => void): void {
  const fulfill = requestQueue.fulfillRequest.bind(requestQueue);
  requestQueue.fulfillRequest = (answer) => {
    onAnswered();
    fulfill(answer);
  };
}

/**
 * kafkajs ends a request by the wall clock alone: one that is set back would keep it for as long, and it would not be seen to wait. Here
 * each is dated so that its age is the longer of what the two clocks say.
 */
export function dateByBothClocks({ requestQueue: queue }: KafkajsConnection): void {
  const create = queue.createSocketRequest.bind(queue);
  queue.createSocketRequest = (pushed) => {
    let sentAt: Moment | null = null;
    return Object.defineProperty(create(pushed), "sentAt", {
      get: () => sentAt && Date.now() - elapsedMs(sentAt, momentNow()),
      set: () => {
        sentAt = momentNow();
      },
    });
  };
}

/** As kafkajs sees the time: it has no clock of ours. */
function momentNow(): Moment {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/** Requests that wait for their answer; kafkajs dates them by the wall clock. */
export function requestsInFlight({
  requestQueue,
}: KafkajsConnection): { apiName: string; sentAtMs: number }[] {
  return [...requestQueue.inflight.values()].map(({ sentAt, entry }) => ({
    apiName: entry.apiName,
    sentAtMs: sentAt,
  }));
}

/** kafkajs keeps what `ask` gives as its metadata: its own metadata requests are replaced. */
export function replaceMetadata<M>(
  { brokerPool }: KafkajsCluster,
  ask: (broker: Broker, topics: readonly string[]) => Promise<M>,
): { known(): M | null } {
  const find = brokerPool.findConnectedBroker.bind(brokerPool);
  // Only what refreshes the metadata calls this.
  brokerPool.findConnectedBroker = async () => {
    const broker = brokerOf((await find()) as KafkajsBroker);
    // kafkajs treats a broker that never reported its versions as connected.
    if (!broker.versions) throw new Error("the broker does not answer");
    // It would take the versions of the first broker for those of all; during an upgrade they differ.
    brokerPool.versions = null;
    return { metadata: (topics: string[]) => ask(broker, topics) };
  };
  return { known: () => brokerPool.metadata as M | null };
}

/** Opens both connections of a broker, once: concurrent first sends would each open one. */
export async function connectBroker(broker: KafkajsBroker): Promise<Broker> {
  await broker.connectionPool.getConnection(1);
  return brokerOf(broker);
}

function brokerOf(broker: KafkajsBroker): Broker {
  return {
    get nodeId() {
      return broker.nodeId;
    },
    get versions() {
      return broker.versions;
    },
    send: (request) => broker.connectionPool.send(requestOf(request)),
    joinGroup: (request) => broker.joinGroup(request),
    syncGroup: (request) => broker.syncGroup(request),
    heartbeat: (request) => broker.heartbeat(request),
    leaveGroup: (request) => broker.leaveGroup(request),
    offsetCommit: (request) => broker.offsetCommit(request),
    offsetFetch: (request) => broker.offsetFetch(request),
    listOffsets: (request) => broker.listOffsets(request),
    initProducerId: (request) => broker.initProducerId(request),
    metadata: (topics) => broker.metadata(topics),
    createPartitions: (request) => broker.createPartitions(request),
    listGroups: () => broker.listGroups(),
    describeGroups: (request) => broker.describeGroups(request),
    createTopics: (request) => broker.createTopics(request),
    describeConfigs: (request) => broker.describeConfigs(request),
  };
}

function requestOf<T>({ api, body, read, timeoutMs }: ProtocolRequest<T>): KafkajsRequest<T> {
  return {
    request: {
      apiKey: api.key,
      apiVersion: api.version,
      apiName: api.name,
      encode: async () => ({ buf: body, buffer: body }),
    },
    response: { decode: async (answer) => read(answer), parse: async (answer) => answer },
    requestTimeout: timeoutMs ?? null,
  };
}

/** What kafkajs throws. */
export interface KafkajsError {
  readonly name?: string;
  /** Kafka's name of an error code that a broker answered. */
  readonly type?: string;
  /** Of an error of the connection: Node's. Of a broker's answer: a number. */
  readonly code?: string | number;
  readonly message?: string;
  /** host:port, where a connection failed. */
  readonly broker?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** The errors inside one another, outermost first; kafkajs wraps what its retries gave up on. */
export function errorChain(error: unknown): KafkajsError[] {
  const links: KafkajsError[] = [];
  for (let link = error as KafkajsError | undefined; link && links.length < 8; ) {
    links.push(link);
    link = (link.cause ?? link.errors?.[0]) as KafkajsError | undefined;
  }
  return links;
}

/** kafkajs reports a connection that breaks during a login as a failed login, with nothing but its text. */
const brokenLogin =
  /authentication failed: (Closed connection|Connection |Not connected|Request .* timed out)/;

export const isLoginError = ({ name }: KafkajsError): boolean => name === "KafkaJSSASLAuthenticationError";

/** The broker answered the login, and refused it. */
export function isRefusedLogin(error: KafkajsError): boolean {
  return isLoginError(error) && !brokenLogin.test(error.message ?? "");
}

export const isMechanismMissing = (message: string): boolean => /mechanism is not supported/.test(message);

/** The broker's own words in the message of a refused login. */
export const withoutLoginPrefix = (message: string): string =>
  message.replace(/^SASL .* authentication failed: /, "");

export const isConnectionClosed = ({ name }: KafkajsError): boolean =>
  name === "KafkaJSConnectionClosedError";

/** The broker lacks a request, or every version of it that kafkajs knows. */
export const isUnsupportedRequest = ({ name }: KafkajsError): boolean =>
  name === "KafkaJSServerDoesNotSupportApiKey" || name === "KafkaJSNotImplemented";
