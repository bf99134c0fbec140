/** The service on a free port of this machine, with a log in memory and a scripted index. */

import { createMemoryLog } from "../../lab/testkit/memory-log.ts";
import { onLoopback } from "../../lab/testkit/on-loopback.ts";
import { documentedDetails, sampleEvent } from "../../lab/testkit/samples.ts";
import { virtualClock } from "../../lab/testkit/virtual-clock.ts";
import { systemClock } from "../../src/clock.ts";
import { identify } from "../../src/domain/identity.ts";
import type { Enrollment, EnrollmentIndex } from "../../src/index/enrollment-index.ts";
import type { Doors } from "../../src/server/auth/authenticate.ts";
import type { ServiceNote, ServiceParts } from "../../src/server/parts.ts";
import { openService, type ServiceSettings } from "../../src/server/service.ts";
import { openServiceMetrics } from "../../src/server/service-metrics.ts";
import { lookAgain } from "../support/look-again.ts";

const structured = "application/cloudevents+json";
export const batch = "application/cloudevents-batch+json";

interface Options {
  readonly doors?: Doors;
  readonly parts?: Partial<ServiceParts>;
  readonly settings?: Partial<ServiceSettings>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body it asserts
  readonly body: Record<string, any>;
}

export async function serviceFor(
  t: { after(end: () => Promise<void>): void },
  { doors = { tokens: null, entra: null }, parts = {}, settings = {} }: Options = {},
) {
  const clock = virtualClock();
  const memory = createMemoryLog(systemClock, 4);
  const { log } = memory.connect(systemClock, () => false);
  const index = fakeIndex();
  const notes: ServiceNote[] = [];
  const metrics = openServiceMetrics(false);
  const opened = await openService(
    {
      ...onLoopback,
      ...settings,
    },
    {
      clock,
      doors,
      log: () => log,
      index: () => index,
      isTenantAllowed: () => true,
      readiness: () => ({ ready: true, notReady: [] }),
      metrics,
      metricsText: () => metrics.text(),
      eventsPerSecond: 0,
      whyTenantWaits: () => null,
      workers: { look: async () => [], isBlind: true },
      tenantsServed: () => null,
      writeExport: () => null,
      note: (note) => notes.push(note),
      version: "1.2.3",
      ...parts,
    },
  );
  if (!opened.ok) throw new Error(opened.problem.message);
  const { service } = opened;
  t.after(() => service.stop(0));
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${service.url}${path}`, init);
    const text = await response.text();
    const isJson = text !== "" && /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } };
  };
  const post = (body: unknown, headers: Record<string, string> = {}, type = structured) =>
    ask("/events", {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body: typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    });
  /** Events that the log has not confirmed. */
  const pending = async () =>
    Number(/^connector_registrar_http_pending_events (\d+)$/m.exec(await metrics.text())?.[1]);
  return { service, memory, log, index, notes, metrics, clock, ask, post, pending };
}

export const keyOf = (changes: object = {}, tenantId = sampleEvent.tenantid) =>
  identify(tenantId, { ...documentedDetails, ...changes })!.idempotencyKey;

export const eventFor = (changes: object = {}, data: object = {}) => ({
  ...sampleEvent,
  ...changes,
  data: { ...documentedDetails, ...data },
});

export interface FakeIndex extends EnrollmentIndex {
  readonly known: Map<string, Enrollment>;
  settle(found: Enrollment): void;
  waiting(key: string): number;
  caughtUp: boolean;
  waitersMax: number;
}

/** Knows what the test gives it; waiting requests get their outcome by `settle`. */
function fakeIndex(): FakeIndex {
  const listeners = new Map<string, Set<(found: Enrollment) => void>>();
  const known = new Map<string, Enrollment>();
  const index: FakeIndex = {
    known,
    caughtUp: true,
    waitersMax: 1_000,
    find: (key) => known.get(key) ?? null,
    search: () => ({ rows: [], next: null }),
    counts: () => ({ waiting: 0, registered: 0, refused: 0, deadLetters: [] }),
    tenantCounts: () => [],
    minutes: () => [],
    whenSettled(key, listener) {
      if ([...listeners.values()].reduce((sum, { size }) => sum + size, 0) >= index.waitersMax) return null;
      const own = listeners.get(key) ?? new Set();
      listeners.set(key, own.add(listener));
      return () => own.delete(listener);
    },
    progress: () => ({ caughtUp: index.caughtUp, behindRecords: 0, caughtUpAtMs: 0, trouble: null }),
    settle(found) {
      known.set(found.key!, found);
      const own = [...(listeners.get(found.key!) ?? [])];
      listeners.delete(found.key!);
      for (const listener of own) listener(found);
    },
    waiting: (key) => listeners.get(key)?.size ?? 0,
  };
  return index;
}

const position = { topic: "enrolled", partition: 3, offset: 7 } as const;

export function enrollment(key: string, changes: Partial<Enrollment>): Enrollment {
  return {
    ...{ id: key, key, tenantId: sampleEvent.tenantid, machineName: documentedDetails.machineName },
    ...{
      connectorName: documentedDetails.connectorName,
      enrollmentDateTime: documentedDetails.enrollmentDateTime,
    },
    ...{ eventId: sampleEvent.id, source: sampleEvent.source, state: "waiting", atMs: 1_000, position },
    ...{ enrolledAtMs: 1_000, waiting: null, registered: null, refused: null },
    ...changes,
  };
}

export const registered = (key: string, graphId: string): Enrollment =>
  enrollment(key, {
    state: "registered",
    registered: {
      ...{ graphId, requestId: "r-1", status: 201, outcome: "created", attempts: 1, atMs: 2_000 },
      position: { topic: "registered", partition: 3, offset: 2 },
    },
  });

export const refused = (key: string, id: string): Enrollment =>
  enrollment(key, {
    state: "refused",
    refused: {
      ...{ id, code: "graph-refused", message: "Graph refused it.", pointers: ["/data/machineName"] },
      ...{ attempts: 1, requestId: "r-2", atMs: 3_000, replayed: false },
      position: { topic: "dlq", partition: 3, offset: 0 },
    },
  });

/** Once it is so. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await lookAgain();
}
