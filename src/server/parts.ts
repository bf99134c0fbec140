/** What the HTTP service is made of, and what its routes are given. */
import type { EnrollmentIndex } from "../index/enrollment-index.ts";
import type { Clock, EventLog } from "../ports.ts";
import type { RequestSpan, RequestTraces } from "../trace-port.ts";
import type { Doors } from "./auth/authenticate.ts";
import type { Principal } from "./auth/principal.ts";
import type { WorkersView } from "./console/workers.ts";
import type { WriteExport } from "./console/write-export.ts";
import type { Readiness } from "./health-server.ts";
import type { AppendQueue } from "./intake/append-queue.ts";
import type { Recent } from "./intake/recent.ts";
import type { Buckets } from "./intake/token-bucket.ts";
import type { ServiceMetrics } from "./service-metrics.ts";

export interface ServiceParts {
  readonly clock: Clock;
  readonly doors: Doors;
  /** Null: it is not open yet. */
  readonly log: () => EventLog | null;
  /** Null: there is none yet. */
  readonly index: () => EnrollmentIndex | null;
  /** The tenants that are served; ids in lower case. */
  readonly isTenantAllowed: (tenantId: string) => boolean;
  readonly readiness: () => Readiness;
  readonly metrics: ServiceMetrics;
  /** The text of /metrics: of the service, and of the worker where they are one process. */
  readonly metricsText: () => Promise<string>;
  /** Events a second for each token; 0: no limit. */
  readonly eventsPerSecond: number;
  /** Why the tenant's records wait, as far as a worker in this process knows; null: nothing is known. */
  readonly whyTenantWaits: (tenantId: string) => string | null;
  /** For the console: what workers say of themselves. */
  readonly workers: WorkersView;
  /** Lower case; null: this service has no list of them. */
  readonly tenantsServed: () => readonly { readonly tenantId: string; readonly isPaused: boolean }[] | null;
  /** For exports of the console; null: it can't be done at present. */
  readonly writeExport: () => WriteExport | null;
  readonly note: (note: ServiceNote) => void;
  /** Without it, nothing is traced. */
  readonly traces?: RequestTraces | undefined;
  readonly version: string;
}

/** For the log: never a token, never an event. */
export interface ServiceNote {
  readonly level: "info" | "warn" | "error" | "debug";
  readonly event: string;
  readonly message: string;
}

/** What requests have in common. */
export interface ServiceContext extends ServiceParts {
  readonly queue: AppendQueue;
  readonly buckets: Buckets;
  readonly recent: Recent;
  readonly waits: Waits;
  /** Requests come by TLS, here or to a proxy in front. */
  readonly isEncrypted: boolean;
}

/** What every route is given. */
export interface RouteContext extends ServiceContext {
  /** The methods of a path, as Allow has them; null: there is no such path. */
  readonly methodsOf: (path: string) => string | null;
}

/** Requests that wait for an outcome. */
export interface Waits {
  /** False: as many wait as may. */
  enter(stop: () => void): boolean;
  leave(stop: () => void): void;
  count(): number;
  /** No request waits any longer; those that come find no wait either. */
  stopAll(): void;
  readonly stopped: boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set before any route that is not open to everyone. */
    principal: Principal | null;
    /** Null: it is not traced. */
    span: RequestSpan | null;
  }
  interface FastifyContextConfig {
    /** Answered without a token. */
    open?: boolean;
    /** It sends something other than JSON. */
    notJson?: boolean;
    /** It has a span. */
    traced?: boolean;
  }
}
