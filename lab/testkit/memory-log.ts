/**
 * The log of these tests: what a broker keeps, in memory, and what each worker sees of it. It obeys ports.ts, takes
 * one millisecond for each request, and fails only on request.
 */
import type {
  AppendResult,
  Clock,
  Committed,
  EventLog,
  LogRecord,
  NewRecord,
  OnStored,
  SurveyResult,
  Topic,
  TopicSurvey,
} from "../../src/ports.ts";
import { inputTopics } from "../../src/ports.ts";
import type { Broker, MemoryLog, Operation, Partition } from "./memory-log-types.ts";
import { createMember } from "./memory-member.ts";

const topics: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];
const requestMs = 1;

export function createMemoryLog(clock: Clock, partitionCount: number): MemoryLog {
  const partitions = new Map<string, Partition>();
  for (const topic of topics)
    for (let p = 0; p < partitionCount; p++)
      partitions.set(`${topic}/${p}`, { records: [], start: 0, end: 0 });
  const stored = new Map<string, Committed>();
  const gates = new Map<Operation, Promise<void>>();
  const listeners: (() => void)[] = [];
  const at = (topic: Topic, partition: number) => partitions.get(`${topic}/${partition}`)!;

  const broker: Broker = {
    async reach(operation) {
      await gates.get(operation);
      await new Promise<void>((resolve) => clock.after(requestMs, resolve));
    },
    at,
    onStored: (listener) => listeners.push(listener),
    commit(commits, isCurrent) {
      const step = memory.commitScript.shift() ?? "committed";
      memory.commits.push(commits);
      if (step === "superseded" || !isCurrent()) return "superseded";
      const keep = () => {
        if (isCurrent()) for (const commit of commits) memory.commitBefore(commit);
      };
      if (typeof step === "number") clock.after(step, keep);
      else if (step !== "unknown") keep();
      return step === "committed" ? "committed" : "unknown";
    },
    positions(wanted) {
      const failure = memory.positionsScript.shift();
      if (failure !== undefined) return failure;
      const both = wanted.flatMap((partition) => inputTopics.map((topic) => ({ topic, partition })));
      return {
        ok: true,
        positions: both.map(({ topic, partition }) => ({
          topic,
          partition,
          committed: memory.committed(topic, partition),
          logStart: at(topic, partition).start,
          logEnd: at(topic, partition).end,
        })),
      };
    },
  };

  const memory: MemoryLog = {
    partitionCount,
    connect(processClock, isDead) {
      const member = createMember(memory, isDead);
      const alive = <T>(result: Promise<T>): Promise<T> =>
        new Promise((resolve) => void result.then((value) => isDead() || resolve(value)));
      const log: EventLog = {
        partitionCount,
        append: (records, onStored) => alive(append(records, onStored)),
        scan: (...call) => alive(scanFor(isDead)(...call)),
        survey: () => alive(survey()),
        join: (onSession, onFailure) => Promise.resolve(member.join(onSession, onFailure, processClock)),
      };
      return { log, member };
    },
    store(record) {
      const partition = at(record.topic, record.partition);
      const kept: LogRecord = {
        ...record,
        offset: partition.end++,
        timestampMs: clock.wallMs(),
        leaderEpoch: memory.leaderEpoch,
      };
      partition.records.push(kept);
      for (const listener of listeners) listener();
      return kept;
    },
    records: (topic, partition = 0) => at(topic, partition).records,
    truncate(topic, partition, offset) {
      const found = at(topic, partition);
      found.records = found.records.filter((record) => record.offset >= offset);
      found.start = offset;
      found.end = Math.max(found.end, offset);
    },
    cutEnd(topic, partition, offset) {
      const found = at(topic, partition);
      found.records = found.records.filter((record) => record.offset < offset);
      found.end = offset;
      for (const listener of listeners) listener();
    },
    compact(topic, partition, offset) {
      const found = at(topic, partition);
      found.records = found.records.filter((record) => record.offset !== offset);
    },
    committed: (topic, partition = 0) => stored.get(`${topic}/${partition}`) ?? null,
    commitBefore({ topic, partition, offset, metadata }) {
      stored.set(`${topic}/${partition}`, { offset, metadata });
    },
    appends: [],
    commits: [],
    scans: [],
    commitScript: [],
    appendScript: [],
    scanScript: [],
    positionsScript: [],
    topicIds: { enrolled: "id-e", retry: "id-r", registered: "id-g", dlq: "id-d" },
    hold(operation) {
      const gate = Promise.withResolvers<void>();
      gates.set(operation, gate.promise);
      return () => {
        gates.delete(operation);
        gate.resolve();
      };
    },
    leaderEpoch: 0,
    generation: 0,
    broker,
  };
  return memory;

  async function append(records: readonly NewRecord[], onStored?: OnStored): Promise<AppendResult> {
    await broker.reach("append");
    memory.appends.push(records);
    const step = memory.appendScript.shift() ?? "stored";
    const stored = step === "lost" ? [] : records.map((record) => memory.store(record));
    if (step === "stored") for (const [index, { offset }] of stored.entries()) onStored?.(index, offset);
    return step === "stored" ? { ok: true } : { ok: false, reason: `failed on request: ${step}` };
  }

  async function survey(): Promise<SurveyResult> {
    await broker.reach("survey");
    const of = (topic: Topic): TopicSurvey => ({
      id: memory.topicIds[topic],
      bounds: Array.from({ length: partitionCount }, (_, p) => {
        const { start, end } = at(topic, p);
        return { start, end };
      }),
    });
    return {
      ok: true,
      topics: { enrolled: of("enrolled"), retry: of("retry"), registered: of("registered"), dlq: of("dlq") },
    };
  }

  function scanFor(isDead: () => boolean): EventLog["scan"] {
    // biome-ignore lint/complexity/useMaxParams: EventLog.scan of ports.ts
    return async (topic, partition, from, onRecords, signal) => {
      memory.scans.push({ topic, partition, from });
      await broker.reach("scan");
      if (signal.aborted) return { ok: false, reason: "aborted" };
      const failure = memory.scanScript.shift();
      if (failure !== undefined) return failure;
      const { records, end } = at(topic, partition);
      if (from > end) return { ok: false, reason: `the log ends at ${end}, before ${from}`, logEnd: end };
      const found = records.filter(({ offset }) => offset >= from);
      if (found.length > 0 && !isDead()) onRecords(found);
      return { ok: true, nextOffset: Math.max(from, end) };
    };
  }
}
