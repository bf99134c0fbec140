/**
 * One worker, or several in turn, on virtual time, between a log in memory and a scripted Graph. Each test sets up the
 * initial state, lets time pass, and checks the requests to Graph and the records in the topics.
 */
import type { TestContext } from "node:test";
import { homePartition } from "../../src/domain/murmur2.ts";
import type { RegistrarEvent } from "../../src/observer.ts";
import type { Random, ServedTenants, SnapshotStore } from "../../src/ports.ts";
import type { Problem } from "../../src/problem.ts";
import { type Registrar, startRegistrar } from "../../src/registrar/registrar.ts";
import type { RegistrarSettings } from "../../src/registrar/settings.ts";
import type { RecordTraces } from "../../src/trace-port.ts";
import { createRng } from "../simulation/rng.ts";
import {
  contoso,
  type Enrolling,
  eventRecord,
  type Registered,
  readDead,
  readRegistered,
} from "./enrollments.ts";
import { createMemoryLog } from "./memory-log.ts";
import type { Member, MemoryLog } from "./memory-log-types.ts";
import { type Asked, createScriptedGraph, type ScriptedGraph } from "./scripted-graph.ts";
import { type VirtualTime, virtualTime } from "./virtual-time.ts";

/** Each of them, for good. */
const everyTenant: ServedTenants = {
  standingOf: () => "served",
  cloudOf: () => "global",
  clouds: () => ["global"],
  writesPer20sOf: () => null,
  onChange: () => {},
};

export const settings: RegistrarSettings = {
  tenants: everyTenant,
  sendId: true,
  requestTimeoutMs: 30_000,
  publishTimeoutMs: 10_000,
  settleMs: 45_000,
  orphanMs: 60_000,
  maxInFlight: 16,
  batchMax: 20,
  writesPer20s: 0,
  windowRecords: 100,
  attemptAhead: 200,
  maxAttempts: 5,
  tenantBlockedMaxMs: 86_400_000,
  rereadCount: 3,
  rereadDelayMs: 5_000,
  commitIntervalMs: 1_000,
  listsPer20s: 100,
  snapshotIntervalMs: 60_000,
  snapshotEntriesMin: 50_000,
  onRetentionGap: "stop",
};

export interface Worker {
  readonly registrar: Registrar;
  readonly member: Member;
  readonly events: readonly RegistrarEvent[];
  seen<K extends RegistrarEvent["kind"]>(kind: K): Extract<RegistrarEvent, { kind: K }>[];
  /** Why it stopped by itself; undefined while it has not stopped. */
  fault(): Problem | null | undefined;
  /** Ends without warning; what it had sent is still carried out. */
  crash(): void;
  /** A clean stop. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly snapshots?: SnapshotStore;
  readonly traces?: RecordTraces;
  readonly firstPartitions?: readonly number[] | null;
}

export interface World {
  readonly time: VirtualTime;
  readonly log: MemoryLog;
  readonly graph: ScriptedGraph;
  start(changes?: Partial<RegistrarSettings>, options?: StartOptions): Worker;
  /** Stores events in their tenant's home partition, or in the one given. Returns the first offset. */
  emit(...events: readonly (Enrolling & { partition?: number })[]): number;
  creates(tenantId?: string): readonly Asked[];
  lists(tenantId?: string): readonly Asked[];
  /** Machines, in the order in which they were created. */
  createdMachines(tenantId?: string): string[];
  registered(partition?: number): readonly Registered[];
  /** `code topic/partition/offset` of each. */
  deadLetters(partition?: number): readonly string[];
  attemptedThrough(partition?: number): number;
  /** Until the registered topic holds this many records and this worker has stopped cleanly. */
  untilStopped(worker: Worker, count: number): Promise<void>;
  /** Until the registered topic holds this many records. */
  untilRegistered(count: number, limitMs?: number): Promise<void>;
}

export function createWorld(t: TestContext, { partitions = 1 } = {}): World {
  const time = virtualTime();
  const log = createMemoryLog(time, partitions);
  const graph = createScriptedGraph(time);
  const random = createRng(t.name).next;
  const workers: Worker[] = [];
  // A worker that a failed test left behind must not keep the process from ending.
  t.after(() => {
    for (const worker of workers) worker.crash();
  });
  const of = (operation: Asked["operation"], tenantId?: string) =>
    graph.asked.filter((one) => one.operation === operation && (tenantId ?? one.tenantId) === one.tenantId);

  const world: World = {
    time,
    log,
    graph,
    start(changes = {}, options = {}) {
      const worker = startWorker({ ...world, random }, { ...settings, ...changes }, options);
      workers.push(worker);
      return worker;
    },
    emit(...events) {
      const stored = events.map((event) => {
        const home = homePartition(event.tenant ?? contoso, partitions);
        return log.store(eventRecord(event, event.partition ?? home));
      });
      return stored[0]!.offset;
    },
    creates: (tenantId) => of("create", tenantId),
    lists: (tenantId) => of("list", tenantId),
    createdMachines: (tenantId) =>
      of("create", tenantId).flatMap(({ items }) => items.map(({ details }) => details.machineName)),
    registered: (partition) => log.records("registered", partition).map(readRegistered),
    deadLetters: (partition) => log.records("dlq", partition).map(readDead),
    attemptedThrough: (partition) => JSON.parse(log.committed("enrolled", partition)?.metadata ?? "{}").a,
    async untilStopped(worker, count) {
      await world.untilRegistered(count);
      await time.pass(2_000);
      await worker.stop();
    },
    untilRegistered: (count, limitMs) =>
      time.until(`${count} registered`, () => log.records("registered").length >= count, limitMs),
  };
  return world;
}

function startWorker(
  { time, log, graph, random }: World & { readonly random: Random },
  all: RegistrarSettings,
  { snapshots, traces, firstPartitions }: StartOptions,
): Worker {
  const events: RegistrarEvent[] = [];
  let dead = false;
  let fault: Problem | null | undefined;
  const clock = time.ofProcess(() => dead);
  const alive = <T>(result: Promise<T>): Promise<T> =>
    new Promise((resolve) => void result.then((value) => dead || resolve(value)));
  const connection = log.connect(clock, () => dead);
  if (firstPartitions !== undefined) connection.member.first = firstPartitions;
  const ports = {
    log: connection.log,
    graph: {
      ...graph,
      create: (...call: Parameters<typeof graph.create>) => alive(graph.create(...call)),
      list: (tenantId: string) => alive(graph.list(tenantId)),
      get: (...call: Parameters<typeof graph.get>) => alive(graph.get(...call)),
    },
    clock,
    random,
    observe: (event: RegistrarEvent) => void events.push(event),
    ...(snapshots === undefined ? {} : { snapshots }),
    ...(traces === undefined ? {} : { traces }),
  };
  const registrar = startRegistrar(ports, all);
  void registrar.done.then((why) => {
    fault = why;
  });
  return {
    registrar,
    member: connection.member,
    events,
    seen: (kind) =>
      events.filter((event) => event.kind === kind) as Extract<RegistrarEvent, { kind: typeof kind }>[],
    fault: () => fault,
    crash() {
      dead = true;
    },
    async stop() {
      void registrar.stop(30_000);
      await time.until("it has stopped", () => fault !== undefined);
    },
  };
}

/** `count` enrollments of one tenant, each on a machine of its own. */
export function many(count: number, tenant: string, from = 0): Enrolling[] {
  return Array.from({ length: count }, (_, n) => ({
    tenant,
    machine: `HOST-${from + n}`,
    event: `event-${from + n}`,
  }));
}
