/**
 * The HTTP service as a whole: it listens, serves, and stops.
 *
 * A stop: requests that come are answered 503; those that wait for an outcome are answered immediately (202: the event is
 * stored); what was given to the log is confirmed and answered; then connections are closed.
 */
import type { Server } from "node:http";
import type { Problem } from "../problem.ts";
import { createApp } from "./app.ts";
import { isOpen } from "./auth/authenticate.ts";
import { bindProblem } from "./auth/bind-rules.ts";
import { type ConnectionTimes, createHttpServer, renewTls, type TlsFiles } from "./http/http-server.ts";
import { limits } from "./http/limits.ts";
import { listen, urlOf } from "./http/listen.ts";
import { type AppendQueue, createAppendQueue } from "./intake/append-queue.ts";
import { createRecent } from "./intake/recent.ts";
import { createBuckets } from "./intake/token-bucket.ts";
import type { ServiceContext, ServiceParts } from "./parts.ts";
import { createWaits } from "./waits.ts";

export interface ServiceSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of the setting: what to type where the port is taken depends on it. */
  readonly defaultPort: number;
  readonly tls: TlsFiles | null;
  /** A proxy in front ends TLS. */
  readonly behindProxy: boolean;
  readonly maxConnections: number;
  /** Unless they are given: limits.ts. */
  readonly times?: ConnectionTimes;
}

export interface Service {
  /** With the port that was bound. */
  readonly url: string;
  /** Another certificate, for connections that come from now on. Only of a service that has one. */
  renewTls(tls: TlsFiles): void;
  /** Finishes what is under way, within this number of milliseconds. */
  stop(drainMs: number): Promise<void>;
}

export type OpenedService =
  | { readonly ok: true; readonly service: Service }
  | { readonly ok: false; readonly problem: Problem };

export async function openService(settings: ServiceSettings, parts: ServiceParts): Promise<OpenedService> {
  const { host, port, defaultPort, tls, behindProxy } = settings;
  const exposure = { host, asksWho: !isOpen(parts.doors), hasTls: tls !== null, behindProxy };
  const unsafe = bindProblem(exposure);
  if (unsafe !== null) return { ok: false, problem: unsafe };
  const context = contextOf(parts, tls !== null || behindProxy);
  let server: Server | null = null;
  const app = await createApp(context, (listener) => {
    server = createHttpServer(settings, listener, parts.metrics.met);
    return server;
  });
  const http: Server = server!;
  const connections = countConnections(http);
  const variables = { hostVariable: "SERVE_HOST", portVariable: "SERVE_PORT" };
  const problem = await listen(http, { host, port, defaultPort, ...variables });
  if (problem !== null) {
    await app.close();
    return { ok: false, problem };
  }
  parts.metrics.watch({
    connections,
    pendingEvents: context.queue.pending,
    waiters: context.waits.count,
    behindRecords: () => parts.index()?.progress().behindRecords ?? null,
    tokensOk: () => (parts.doors.tokens?.problem() ?? null) === null,
  });
  return {
    ok: true,
    service: {
      url: urlOf(http, tls === null ? "http" : "https", host),
      renewTls: (renewed) => renewTls(http, renewed),
      async stop(drainMs) {
        context.waits.stopAll();
        const closed = new Promise((resolve) => http.close(resolve));
        const cutOff = () => http.closeAllConnections();
        const cancel = parts.clock.after(drainMs, cutOff);
        if (drainMs === 0) cutOff();
        await context.queue.drained();
        await closed;
        cancel();
        await app.close();
      },
    },
  };
}

function contextOf(parts: ServiceParts, isEncrypted: boolean): ServiceContext {
  const { clock, eventsPerSecond, log } = parts;
  const queue: AppendQueue = createAppendQueue(
    { append: (records, onStored) => log()!.append(records, onStored) },
    { events: limits.pendingEvents, bytes: limits.pendingBytes, appendEvents: limits.appendEvents },
  );
  const capacity = Math.max(limits.batchEvents, eventsPerSecond * limits.burstS);
  return {
    ...parts,
    queue,
    buckets: createBuckets({ perSecond: eventsPerSecond, capacity }, clock),
    recent: createRecent(),
    waits: createWaits(limits.waiters),
    isEncrypted,
  };
}

function countConnections(server: Server): () => number {
  let count = 0;
  server.on("connection", (socket) => {
    count++;
    socket.once("close", () => count--);
  });
  return () => count;
}
