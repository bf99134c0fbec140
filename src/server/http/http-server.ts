/**
 * The server under the service: Node's own, with a bound on everything that a connection may take.
 *
 * 1. A connection that sends nothing, or its headers or body too slowly, is closed: 408.
 * 2. Connections beyond the limit are closed immediately, so that they cost no memory.
 * 3. Data that is not HTTP is answered with a problem, and the connection is closed.
 * 4. An answer is given to the request that it is for: where one before it is not answered yet, the connection is closed without.
 * 5. A connection on which nothing moves is closed, also one whose other end does not read its answers.
 */
import assert from "node:assert/strict";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from "node:http";
import {
  createServer as createTlsServer,
  type ServerOptions as TlsOptions,
  Server as TlsServer,
} from "node:https";
import type { Socket } from "node:net";
import type { Bound } from "../service-metrics.ts";
import { limits } from "./limits.ts";
import { withOriginForm } from "./origin-form.ts";
import { type Failure, failures, problemContentType, problemText } from "./problem.ts";

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface ConnectionTimes {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly stalledTimeoutMs: number;
  readonly sweepIntervalMs: number;
}

const tlsMinVersion = "TLSv1.2";

/** For connections that come from now on. */
export function renewTls(server: Server, tls: TlsFiles): void {
  assert.ok(server instanceof TlsServer);
  server.setSecureContext({ ...tls, minVersion: tlsMinVersion });
}

export function createHttpServer(
  settings: {
    readonly tls: TlsFiles | null;
    readonly maxConnections: number;
    readonly times?: ConnectionTimes;
  },
  listener: RequestListener,
  onMet: (bound: Bound) => void,
): Server {
  const { tls, maxConnections, times = limits } = settings;
  const options: ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: times.headersTimeoutMs,
    requestTimeout: times.requestTimeoutMs,
    keepAliveTimeout: times.idleTimeoutMs,
    connectionsCheckingInterval: times.sweepIntervalMs,
    requireHostHeader: true,
  };
  const tlsOptions: TlsOptions = {
    ...options,
    ...tls,
    minVersion: tlsMinVersion,
    handshakeTimeout: times.headersTimeoutMs,
  };
  const onRequest: RequestListener = (request, response) => {
    begun.set(request.socket, begun.has(request.socket) ? null : request);
    listener(withOriginForm(request), response);
  };
  const server: Server =
    tls === null ? createServer(options, onRequest) : createTlsServer(tlsOptions, onRequest);
  server.maxConnections = maxConnections;
  server.maxRequestsPerSocket = limits.connectionRequests;
  server.on("drop", () => onMet("connections"));
  // The app checks `Expect`, like any header. Without a listener Node answers by itself.
  server.on("checkExpectation", onRequest);
  server.setTimeout(times.stalledTimeoutMs, (socket) => {
    if (socket.writableLength > 0) onMet("request-time");
    socket.destroy(); // 5
  });
  return server;
}

/** The first request of a connection; null: there were several. */
const begun = new WeakMap<Socket, IncomingMessage | null>();

/** Nothing was answered on the connection, and what is broken is its first request. */
function isFirstBroken(socket: Socket): boolean {
  const first = begun.get(socket);
  return socket.bytesWritten === 0 && (first === undefined || first?.complete === false);
}

/** A connection on which no request could be read. */
export function answerBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Socket,
  onMet: (bound: Bound) => void,
): void {
  const failure = brokenRequest(error.code ?? "");
  if (failure.status === 408) onMet("request-time");
  if (failure.status === 431) onMet("header-bytes");
  if (socket.writable && isFirstBroken(socket) && error.code !== "ECONNRESET")
    // 4
    socket.end(rawAnswer(failure));
  else socket.destroy();
  // Its other end may never close.
  socket.destroySoon();
}

function brokenRequest(code: string): Failure {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return failures.requestTimeout();
  return code === "HPE_HEADER_OVERFLOW" ? failures.headersTooLarge() : failures.malformed();
}

function rawAnswer(failure: Failure): string {
  const body = problemText(failure);
  return [
    `HTTP/1.1 ${failure.status} ${JSON.parse(body).title}`,
    "connection: close",
    `content-type: ${problemContentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}
