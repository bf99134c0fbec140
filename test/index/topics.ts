/** Four topics in memory, as the index reads them, with what happens to topics: compaction, loss, being made again. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contoso, detailsOf, type Enrolling, eventRecord, keyOf } from "../../lab/testkit/enrollments.ts";
import { systemClock } from "../../src/clock.ts";
import { deadLetterRecord } from "../../src/domain/dead-letter.ts";
import { refusal } from "../../src/domain/refusal.ts";
import { registeredRecord } from "../../src/domain/registered.ts";
import type { ReadingIndex } from "../../src/index/enrollment-index.ts";
import { type IndexNote, type IndexSettings, openEnrollmentIndex } from "../../src/index/open-index.ts";
import type { EventLog, LogRecord, NewRecord, ScanResult, SurveyResult, Topic } from "../../src/ports.ts";
import { type OnRecords, type ScanPlace, scanBy } from "../support/scan-by.ts";

export const startMs = Date.UTC(2026, 10, 20, 8);

const roles: readonly Topic[] = ["enrolled", "retry", "registered", "dlq"];

export class MemoryTopics {
  readonly partitionCount: number;
  readonly #records = new Map<string, LogRecord[]>();
  readonly #ends = new Map<string, number>();
  readonly #ids = new Map<Topic, string | null>();
  readonly scans: string[] = [];
  nowMs = startMs;
  trouble: string | null = null;

  constructor(partitionCount = 2) {
    this.partitionCount = partitionCount;
    for (const role of roles) this.make(role);
  }

  /** Empty, under a new id; `id` null as in the embedded log. */
  make(topic: Topic, id: string | null = `${topic}-1`): void {
    this.#ids.set(topic, id);
    for (let partition = 0; partition < this.partitionCount; partition++) {
      this.#records.set(`${topic}/${partition}`, []);
      this.#ends.set(`${topic}/${partition}`, 0);
    }
  }

  /** A second later than the one before. Returns the stored record. */
  append(record: NewRecord): LogRecord {
    const place = `${record.topic}/${record.partition}`;
    const offset = this.#ends.get(place)!;
    this.nowMs += 1000;
    const stored = { ...record, offset, timestampMs: this.nowMs, leaderEpoch: -1 };
    this.#records.get(place)!.push(stored);
    this.#ends.set(place, offset + 1);
    return stored;
  }

  /** What compaction, retention or an accident leaves of partition 0; its end stays where it is, unless it is given. */
  keep(topic: Topic, wanted: (record: LogRecord) => boolean, end?: number): void {
    const place = `${topic}/0`;
    this.#records.set(place, this.#records.get(place)!.filter(wanted));
    if (end !== undefined) this.#ends.set(place, end);
  }

  get log(): EventLog {
    return {
      partitionCount: this.partitionCount,
      scan: scanBy(async (place, onRecords, signal) => this.#scan(place, onRecords, signal)),
      survey: async () => this.#survey(),
      append: () => assert.fail("the index appends nothing"),
      join: () => assert.fail("the index joins no group"),
    };
  }

  #survey(): SurveyResult {
    if (this.trouble !== null) return { ok: false, reason: this.trouble };
    const of = (topic: Topic) => ({
      id: this.#ids.get(topic) ?? null,
      bounds: Array.from({ length: this.partitionCount }, (_, partition) => {
        const place = `${topic}/${partition}`;
        const end = this.#ends.get(place)!;
        return { start: this.#records.get(place)![0]?.offset ?? end, end };
      }),
    });
    const topics = {
      enrolled: of("enrolled"),
      retry: of("retry"),
      registered: of("registered"),
      dlq: of("dlq"),
    };
    return { ok: true, topics };
  }

  #scan({ topic, partition, from }: ScanPlace, onRecords: OnRecords, signal: AbortSignal): ScanResult {
    const place = `${topic}/${partition}`;
    this.scans.push(`${place}@${from}`);
    const end = this.#ends.get(place)!;
    if (from > end) return { ok: false, reason: `ends at ${end}`, logEnd: end };
    const records = this.#records.get(place)!.filter(({ offset }) => offset >= from);
    // Two at a time, so that what is found out ends a scan within it.
    for (let at = 0; at < records.length; at += 2) {
      if (signal.aborted) return { ok: false, reason: "aborted" };
      onRecords(records.slice(at, at + 2));
    }
    return { ok: true, nextOffset: end };
  }
}

export interface Registering extends Enrolling {
  readonly graphId?: string;
  readonly outcome?: "created" | "recovered";
  readonly registeredAt?: number;
  readonly offset?: number;
  readonly enrolledAt?: number;
}

export function registered(of: Registering, partition = 0): NewRecord {
  const { tenant = contoso, event = "event-1", graphId = "11111111-0000-4000-8000-000000000001" } = of;
  const details = detailsOf(of);
  return registeredRecord(partition, {
    enrollment: {
      tenantId: tenant,
      details,
      event: { id: event, source: "/installers/17", traceparent: null },
    },
    idempotencyKey: keyOf(of),
    object: { ...details, id: graphId },
    outcome: of.outcome ?? "created",
    attempts: 1,
    graph: { requestId: "22222222-0000-4000-8000-000000000002", status: 201, cloud: "global" },
    source: { topic: "enrolled", partition, offset: of.offset ?? 0 },
    enrolledAt: of.enrolledAt ?? startMs + 1000,
    registeredAt: of.registeredAt ?? startMs + 5000,
  });
}

/** The dead letter of a record as it stands. */
export function refused(record: LogRecord, code = "graph-400", atMs = record.timestampMs + 500): NewRecord {
  const { topic, partition, offset } = record;
  return deadLetterRecord(partition, record, {
    refusal: { ...refusal("value-not-json", "Graph refused it.", ["/data/machineName"]), code },
    attempts: 2,
    at: { topic, partition, offset },
    timeMs: atMs,
    requestId: "33333333-0000-4000-8000-000000000003",
  });
}

export function event(of: Enrolling, partition = 0): NewRecord {
  return eventRecord(of, partition);
}

export interface Opened {
  readonly index: ReadingIndex;
  readonly notes: IndexNote[];
  read(): Promise<void>;
}

export function indexPath(t: { after(end: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), "index-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "index.db");
}

export function openOn(log: EventLog, path: string, more: Partial<IndexSettings> = {}): Opened {
  const notes: IndexNote[] = [];
  const opening = openEnrollmentIndex({
    path,
    log,
    clock: systemClock,
    onNote: (note) => notes.push(note),
    ...more,
  });
  assert.ok(opening.ok, JSON.stringify(opening));
  const { index } = opening;
  const read = async () => {
    assert.ok(await index.catchUp(new AbortController().signal), index.progress().trouble ?? "aborted");
  };
  return { index, notes, read };
}
