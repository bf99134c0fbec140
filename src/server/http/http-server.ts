/**
 * The server under the service: Node's own, with a bound on everything that a connection may take.
 *
 * 1. A connection that sends nothing, or its headers or body too slowly, is closed: 408.
 * 2. Connections beyond the limit are closed at once, so that they cost no memory.
 * 3. What is no HTTP is answered with a problem and a closed connection.
 */
import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import {
  createServer as createTlsServer,
  type ServerOptions as TlsOptions,
  Server as TlsServer,
} from "node:https";
import type { Socket } from "node:net";
import type { Bound } from "../service-metrics.ts";
import { limits } from "./limits.ts";
import { type Failure, failures, problemContentType, problemText } from "./problem.ts";

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface ConnectionTimes {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
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
  const server: Server =
    tls === null ? createServer(options, listener) : createTlsServer(tlsOptions, listener);
  server.maxConnections = maxConnections;
  server.maxRequestsPerSocket = limits.connectionRequests;
  server.on("drop", () => onMet("connections"));
  return server;
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
  if (socket.writable && socket.bytesWritten === 0 && error.code !== "ECONNRESET")
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
