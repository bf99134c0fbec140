/**
 * Tests of the core as specifications: what the topics, the stored commits and Graph hold at first, what happens, and
 * what they hold then. Times are virtual.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { InputTopic, NewRecord } from "../../src/ports.ts";
import { decodeMetadata, encodeMetadata } from "../../src/registrar/ownership/commit-metadata.ts";
import type { RegistrarSettings } from "../../src/registrar/settings.ts";
import {
  contoso,
  type Enrolling,
  eventRecord,
  objectOf,
  parkedBefore,
  registeredBefore,
} from "./enrollments.ts";
import type { MemoryLog } from "./memory-log-types.ts";
import { createWorld, type Worker, type World } from "./registrar-world.ts";
import type { ScriptedGraph, Step } from "./scripted-graph.ts";

export type Parked = Enrolling & { readonly inDoubt?: boolean; readonly copyOf?: number };

interface Committed {
  readonly settledThrough: number;
  readonly attemptedThrough: number;
}

/** All of one tenant, contoso. Without `partition`: 0. */
export interface Given {
  readonly partitions?: number;
  readonly enrolled?: readonly (Enrolling & {
    readonly partition?: number;
    readonly headers?: NewRecord["headers"];
  })[];
  /** `copyOf`: the offset in the enrolled topic from which it was moved. */
  readonly parked?: readonly Parked[];
  readonly registered?: readonly Enrolling[];
  /** Another worker's last commit of partition 0; `retry`: of the retry topic, without it from its start. */
  readonly committed?: Committed & { readonly retry?: Committed };
  /** What exists in Graph. Without `id`: `object-of-before-0`, and so on. */
  readonly objects?: readonly (Enrolling & { readonly id?: string })[];
  /** What Graph does with ids that it is sent; without it, it ignores them. */
  readonly ids?: ScriptedGraph["ids"];
  /** Graph's next answers to creates. */
  readonly graph?: readonly Step[];
  /** What Graph answers to every create after these; without it, by itself. */
  readonly always?: Step;
  /** Graph's next answers to lists. */
  readonly lists?: ScriptedGraph["listScript"];
  readonly appends?: MemoryLog["appendScript"];
  readonly commits?: MemoryLog["commitScript"];
  /** Of each worker. */
  readonly settings?: Partial<RegistrarSettings>;
}

export interface Expected {
  /** Machine of each object in Graph, sorted. */
  readonly objects: readonly string[];
  /** `MACHINE outcome` of each record that workers appended to the registered topic, all partitions. */
  readonly registered: readonly string[];
  /** `code id` of each dead letter. */
  readonly deadLetters?: readonly string[];
  /** Creates asked of Graph by all workers, each item of a batch. */
  readonly creates: number;
  /** Lists asked of Graph by all workers. */
  readonly lists?: number;
  /** Records that workers found to be registered already. */
  readonly duplicates?: number;
  /** Code of the fault with which each worker ended; none for one that still runs, or that was stopped. */
  readonly faults?: readonly string[];
  /** Of partition 0 of the enrolled topic. */
  readonly settledThrough?: number;
  readonly attemptedThrough?: number;
  /** Of partition 0 of the retry topic. */
  readonly parkedThrough?: number;
}

export interface Specification {
  readonly given: Given;
  readonly when: (world: World) => Promise<void>;
  readonly expect: Expected;
}

export async function specify(t: TestContext, { given, when, expect }: Specification): Promise<void> {
  const bare = createWorld(t, { partitions: given.partitions ?? 1 });
  const workers: Worker[] = [];
  const world: World = {
    ...bare,
    start(changes, more) {
      const worker = bare.start({ ...given.settings, ...changes }, more);
      workers.push(worker);
      return worker;
    },
  };
  prepare(world, given);
  await when(world);
  assert.deepEqual(found(world, workers, expect), expect);
  assertOneIdEach(world);
}

function prepare({ log, graph }: World, given: Given): void {
  for (const enrolling of given.enrolled ?? []) {
    const record = eventRecord(enrolling, enrolling.partition ?? 0);
    log.store({ ...record, headers: enrolling.headers ?? [] });
  }
  for (const parked of given.parked ?? []) park(log, parked);
  for (const registered of given.registered ?? []) log.store(registeredBefore(registered));
  for (const [n, object] of (given.objects ?? []).entries()) {
    const kept = graph.objects.get(contoso) ?? [];
    graph.objects.set(contoso, [...kept, objectOf(object, object.id ?? `object-of-before-${n}`)]);
  }
  if (given.committed !== undefined) {
    const { retry = { settledThrough: 0, attemptedThrough: 0 } } = given.committed;
    commitBefore(log, "enrolled", given.committed);
    commitBefore(log, "retry", retry);
  }
  if (given.ids !== undefined) graph.ids = given.ids;
  graph.script(contoso, ...(given.graph ?? []));
  if (given.always !== undefined) graph.always(contoso, given.always);
  graph.listScript.push(...(given.lists ?? []));
  log.appendScript.push(...(given.appends ?? []));
  log.commitScript.push(...(given.commits ?? []));
}

/** Stores a record in the retry topic, as a worker would have. */
export function park(log: MemoryLog, { copyOf, ...parked }: Parked): void {
  const record = parkedBefore(parked, parked);
  const origin: NewRecord["headers"] =
    copyOf === undefined ? [] : [["origin", new TextEncoder().encode(`enrolled/0/${copyOf}`)]];
  log.store({ ...record, headers: [...record.headers, ...origin] });
}

function commitBefore(
  log: MemoryLog,
  topic: InputTopic,
  { settledThrough, attemptedThrough }: Committed,
): void {
  const metadata = encodeMetadata({ attemptedThrough, claim: "theirs", limits: null, known: null });
  log.commitBefore({ topic, partition: 0, offset: settledThrough, metadata });
}

/** A worker that vanishes as soon as `isSo`. */
export async function crashWhile(world: World, what: string, isSo: () => boolean): Promise<void> {
  const worker = world.start();
  await world.time.until(what, isSo);
  worker.crash();
}

/** Until the enrolled topic is settled below this offset, and that is committed. */
export function untilSettled(world: World, offset: number): Promise<void> {
  return world.time.until(
    `settled through ${offset}`,
    () => world.log.committed("enrolled")?.offset === offset,
  );
}

/** As much of it as is expected of it. */
function found(world: World, workers: readonly Worker[], expected: Expected): Expected {
  const partitions = Array.from({ length: world.log.partitionCount }, (_, partition) => partition);
  const registered = partitions.flatMap((partition) => world.registered(partition));
  const stored = world.log.committed("enrolled");
  const all = {
    objects: (world.graph.objects.get(contoso) ?? []).map(({ machineName }) => machineName).sort(),
    // Those that were given say less.
    registered: registered
      .filter(({ data }) => data.outcome !== undefined)
      .map(({ data }) => `${data.machineName} ${data.outcome}`),
    deadLetters: partitions.flatMap((partition) => world.deadLetters(partition)),
    creates: world.createdMachines().length,
    lists: world.lists().length,
    duplicates: workers.reduce((sum, worker) => sum + worker.seen("record-duplicate").length, 0),
    faults: workers.flatMap((worker) => worker.fault()?.code ?? []),
    parkedThrough: world.log.committed("retry")?.offset,
    settledThrough: stored?.offset,
    attemptedThrough: decodeMetadata(stored?.metadata ?? "")?.attemptedThrough,
  };
  return Object.fromEntries(Object.keys(expected).map((key) => [key, all[key as keyof typeof all]])) as never;
}

/** Whatever stands twice in the registered topic names one enrollment and one object. */
function assertOneIdEach(world: World): void {
  const ids = new Map<string, string>();
  for (const { id, data } of world.registered()) {
    assert.equal(ids.get(id) ?? data.id, data.id, `${id} names two objects`);
    ids.set(id, data.id);
  }
}
