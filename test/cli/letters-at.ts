/** Dead letters in a data directory, for tests of commands. */
import assert from "node:assert/strict";
import { tenantId, text } from "../../lab/testkit/samples.ts";
import { systemClock } from "../../src/clock.ts";
import { type OpenLog, openLog } from "../../src/compose.ts";
import { loadSettings } from "../../src/config/load.ts";
import { deadLetterRecord } from "../../src/domain/dead-letter.ts";
import { homePartition } from "../../src/domain/murmur2.ts";
import { refusal } from "../../src/domain/refusal.ts";
import type { LogRecord, NewRecord, Topic } from "../../src/ports.ts";
import { temporaryDirectory } from "./run-cli.ts";

async function openAt(DATA_DIR: string): Promise<OpenLog> {
  const loaded = loadSettings({ environment: { DATA_DIR } });
  assert.ok(loaded.ok);
  const opening = await openLog(loaded.settings, systemClock);
  assert.ok(opening.ok);
  return opening.log;
}

export async function recordsOf(DATA_DIR: string, topic: Topic): Promise<LogRecord[]> {
  const log = await openAt(DATA_DIR);
  const records: LogRecord[] = [];
  const { signal } = new AbortController();
  for (let partition = 0; partition < log.partitionCount; partition++) {
    assert.ok((await log.scan(topic, partition, 0, (some) => records.push(...some), signal)).ok);
  }
  await log.close();
  return records;
}

export const dayMs = 86_400_000;
export const home = homePartition(tenantId, 8);

/** A dead letter of the record, refused `daysAgo`. */
export function letter(
  record: LogRecord,
  code: "tenant-not-allowed" | "value-not-json",
  daysAgo = 0,
): NewRecord {
  const { topic, partition, offset } = record;
  const origin = record.headers.find(([name]) => name === "origin")?.[1];
  const [, ofPartition, ofOffset] = origin ? text(origin).split("/").map(Number) : [0, partition, offset];
  return deadLetterRecord(partition, record, {
    refusal: refusal(code, "why", []),
    attempts: 0,
    at: { topic, partition: ofPartition!, offset: ofOffset! },
    timeMs: Date.now() - daysAgo * dayMs,
    requestId: null,
  });
}

export async function withLetters(
  t: { after(end: () => void): void },
  ...letters: NewRecord[]
): Promise<string> {
  const DATA_DIR = temporaryDirectory(t);
  const log = await openAt(DATA_DIR);
  assert.deepEqual(await log.append(letters), { ok: true });
  await log.close();
  return DATA_DIR;
}
