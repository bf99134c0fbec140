/** The service with its console on a log in memory and a real index, filled with an hour of a small installation. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  contoso,
  detailsOf,
  type Enrolling,
  eventRecord,
  fabrikam,
  keyOf,
  tailspin,
} from "../../../lab/testkit/enrollments.ts";
import { createMemoryLog } from "../../../lab/testkit/memory-log.ts";
import { onLoopback } from "../../../lab/testkit/on-loopback.ts";
import { writeExport } from "../../../src/audit/export.ts";
import { systemClock } from "../../../src/clock.ts";
import { deadLetterRecord } from "../../../src/domain/dead-letter.ts";
import { refusal } from "../../../src/domain/refusal.ts";
import { registeredRecord } from "../../../src/domain/registered.ts";
import type { ReadingIndex } from "../../../src/index/enrollment-index.ts";
import { openEnrollmentIndex } from "../../../src/index/open-index.ts";
import type { Clock, LogRecord, NewRecord } from "../../../src/ports.ts";
import type { Doors } from "../../../src/server/auth/authenticate.ts";
import type { WorkerState } from "../../../src/server/console/workers.ts";
import type { ServiceNote, ServiceParts } from "../../../src/server/parts.ts";
import { openService, type ServiceSettings } from "../../../src/server/service.ts";
import { openServiceMetrics } from "../../../src/server/service-metrics.ts";

/** Pages that need nothing more, and one that is not there. */
export const paths = [
  "/console",
  "/console/enrollments",
  "/console/letters",
  "/console/tenants",
  "/console/audit",
  "/console/replays",
  "/console/nothing",
];

export const endMs = Date.UTC(2026, 10, 20, 9, 0, 30);
const minuteMs = 60_000;

export interface ConsoleOptions {
  readonly doors?: Doors;
  readonly parts?: Partial<ServiceParts>;
  readonly settings?: Partial<ServiceSettings>;
  readonly workers?: readonly WorkerState[];
  /** Nothing is in the topics. */
  readonly empty?: boolean;
}

type Ends = { after(end: () => unknown): void };
export type Console = Awaited<ReturnType<typeof consoleFor>>;

export async function consoleFor(t: Ends, options: ConsoleOptions = {}) {
  const { doors = { tokens: null, entra: null }, parts = {}, settings = {}, workers, empty } = options;
  let wallMs = endMs;
  /** Its calendar stands still, its time advances. */
  const clock: Clock = { ...systemClock, wallMs: () => wallMs };
  const memory = createMemoryLog(clock, 4);
  const { log } = memory.connect(clock, () => false);
  const at = (ms: number, record: NewRecord): LogRecord => {
    wallMs = ms;
    const stored = memory.store(record);
    wallMs = endMs;
    return stored;
  };
  if (empty !== true) fill(at);
  const directory = mkdtempSync(join(tmpdir(), "console-"));
  const opening = openEnrollmentIndex({ path: join(directory, "index.db"), log, clock });
  assert.ok(opening.ok, JSON.stringify(opening));
  const index: ReadingIndex = opening.index;
  const read = () => index.catchUp(new AbortController().signal);
  assert.ok(await read());
  const notes: ServiceNote[] = [];
  const metrics = openServiceMetrics(false);
  const opened = await openService(
    {
      ...onLoopback,
      ...settings,
    },
    {
      ...{ clock, doors, metrics, version: "1.2.3", eventsPerSecond: 0 },
      log: () => log,
      index: () => index,
      isTenantAllowed: (tenantId) => tenantId !== tailspin,
      tenantsServed: () => [
        { tenantId: contoso, isPaused: false },
        { tenantId: fabrikam, isPaused: true },
      ],
      workers: {
        look: async () => workers ?? [ready],
        isBlind: workers !== undefined && workers.length === 0,
      },
      readiness: () => ({ ready: true, notReady: [] }),
      metricsText: () => metrics.text(),
      whyTenantWaits: () => null,
      writeExport: () => (request) => writeExport(index, request),
      note: (note) => notes.push(note),
      ...parts,
    },
  );
  assert.ok(opened.ok, JSON.stringify(opened));
  const { service } = opened;
  t.after(async () => {
    await service.stop(0);
    index.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const { url } = service;
  const get = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { redirect: "manual", ...init });
  const post = (
    path: string,
    form: Record<string, string> | URLSearchParams,
    headers: Record<string, string> = {},
  ) => get(path, { method: "POST", body: new URLSearchParams(form), headers: { origin: url, ...headers } });
  return { url, service, memory, log, clock, index, read, notes, get, post, at };
}

const figures = {
  ...{ partitions: 4, lagRecords: 7, waiting: 3, parked: 2, inFlight: 2, blockedTenants: 0 },
  breaker: "closed",
};

const ready: WorkerState = {
  ...{ name: "this process", trouble: null, ready: true, notReady: [], figures, blocked: [] },
};

export const troubled: readonly WorkerState[] = [
  {
    ...ready,
    name: "http://10.0.0.7:8080",
    ready: false,
    notReady: ["graph: not answering, the circuit breaker is open"],
    figures: { ...figures, breaker: "open", blockedTenants: 1 },
    blocked: [
      {
        tenantId: fabrikam,
        detail: "403 Forbidden: Application is not authorized to perform this operation.",
        sinceMs: endMs - 47 * minuteMs,
      },
    ],
  },
  {
    ...ready,
    name: "http://10.0.0.8:8080",
    trouble: "ECONNREFUSED",
    ready: false,
    figures: null,
    blocked: null,
  },
];

const pad = (number: number) => String(number).padStart(2, "0");
const guidOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** No randomness: every run shows the same. */
function fill(at: (ms: number, record: NewRecord) => LogRecord): void {
  const startMs = endMs - 60 * minuteMs;
  for (let n = 0; n < 120; n++) {
    const of = enrolling(n);
    const ms = startMs + Math.floor((n + 8 * Math.sin(n / 9)) * 26_000) + 220_000;
    const partition = n % 4;
    const event = at(ms, eventRecord(of, partition));
    if (n % 14 === 7) at(ms + 1_500, refused(event, graphRefused, ms + 1_500));
    else if (n < 116) at(ms + 2_000, registered(of, event, ms + 2_000));
  }
  const stranger = { tenant: tailspin, machine: "SRV-900", connector: "NDES-1", event: "evt-stranger" };
  const foreign = at(endMs - 20 * minuteMs, eventRecord(stranger, 1));
  at(endMs - 20 * minuteMs + 900, refused(foreign, notAllowed, endMs - 20 * minuteMs + 900));
  const bytes = {
    topic: "enrolled",
    partition: 2,
    key: null,
    value: Buffer.from("c3280a00ff7b", "hex"),
    headers: [],
  } as const;
  const broken = at(endMs - 12 * minuteMs, bytes);
  at(endMs - 12 * minuteMs + 700, refused(broken, notText, endMs - 12 * minuteMs + 700));
}

function enrolling(n: number): Enrolling {
  return {
    tenant: n % 3 === 0 ? fabrikam : contoso,
    machine: `SRV-${100 + Math.floor(n / 2)}`,
    connector: n % 2 === 0 ? "NDES-1" : "PKCS-West",
    at: `2026-11-20T08:${pad(n % 60)}:${pad((n * 7) % 60)}Z`,
    event: `evt-${String(n).padStart(4, "0")}`,
  };
}

const graphRefused = {
  ...refusal(
    "value-not-json",
    "Graph answered 400 BadRequest: ConnectorVersion is not supported in this tenant.",
    ["/data/connectorVersion"],
  ),
  code: "graph-refused",
};
const notAllowed = refusal("tenant-not-allowed", "The tenant is not among those that are served.", [
  "/tenantid",
]);
const notText = refusal("value-not-json", "The value is not UTF-8.", []);

export function refused(
  record: LogRecord,
  why: typeof graphRefused | typeof notText,
  timeMs: number,
): NewRecord {
  const { topic, partition, offset } = record;
  return deadLetterRecord(partition, record, {
    ...{ refusal: why, attempts: 1, at: { topic, partition, offset }, timeMs },
    requestId: guidOf(offset + 700),
  });
}

export function registered(of: Enrolling, event: LogRecord, registeredAt: number): NewRecord {
  const details = detailsOf(of);
  const { partition, offset } = event;
  return registeredRecord(partition, {
    enrollment: {
      tenantId: of.tenant ?? contoso,
      details,
      event: { id: of.event ?? "event-1", source: "/installers/17", traceparent: null },
    },
    idempotencyKey: keyOf(of),
    object: { ...details, id: keyOf(of) },
    outcome: offset % 9 === 4 ? "recovered" : "created",
    attempts: 1,
    graph: { requestId: guidOf(offset + 100), status: 201, cloud: "global" },
    source: { topic: "enrolled", partition, offset },
    enrolledAt: event.timestampMs,
    registeredAt,
  });
}
