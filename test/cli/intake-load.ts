/** Events into `serve` while processes are killed: each is sent until it is confirmed, whatever becomes of connections meanwhile. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Pool } from "undici";
import { tenantId } from "../../lab/testkit/emulator.ts";
import { readLedgerEntry } from "../../src/domain/registered.ts";
import type { EventLog, LogRecord, Topic } from "../../src/ports.ts";
import { lookAgain } from "../support/look-again.ts";
import { type Environment, type Running, startCli, waitUntil } from "./run-cli.ts";

/** Short, so that a crash costs seconds; the settle time covers one request and one append. */
export const shortTimes = {
  ...{
    GRAPH_REQUEST_TIMEOUT_MS: "1000",
    PUBLISH_TIMEOUT_MS: "1000",
    SETTLE_MS: "2500",
    GRAPH_ORPHAN_MS: "500",
  },
  ...{ REREAD_COUNT: "1", REREAD_DELAY_MS: "100", GRAPH_WRITES_PER_20S: "0", GRAPH_LISTS_PER_20S: "0" },
};
const senders = 16;

interface Command {
  readonly args: readonly string[];
  readonly environment: Environment;
  /** The line that says that it is at work. */
  readonly ready: RegExp;
}

/** A command that is killed without warning and started again, as often as it is asked for. */
export function restarting(t: TestContext, { args, environment, ready }: Command) {
  let running: Running;
  const start = async () => {
    running = startCli(args, environment, { limitMs: 540_000 });
    await running.line(ready);
  };
  t.after(() => running.child.kill("SIGKILL"));
  return {
    start,
    async crash() {
      running.child.kill("SIGKILL");
      await running.ended;
      await start();
    },
  };
}

const event = (n: number) =>
  JSON.stringify({
    ...{
      specversion: "1.0",
      id: `e-${n}`,
      source: "/installers/1",
      type: "connector.enrolled",
      tenantid: tenantId,
    },
    data: {
      ...{ connectorName: "C", machineName: `PC-${n}`, enrollmentDateTime: "2026-01-02T03:04:05Z" },
      ...{ lastCheckinDateTime: "2026-01-02T03:04:05Z", connectorVersion: "1" },
    },
  });

/** Each event until it is confirmed, whatever becomes of connections meanwhile. */
async function confirm(pool: Pool, n: number): Promise<string> {
  for (;;) {
    try {
      const headers = { "content-type": "application/cloudevents+json" };
      const answer = await pool.request({ method: "POST", path: "/events", headers, body: event(n) });
      const text = await answer.body.text();
      if (answer.statusCode === 202 || answer.statusCode === 200) return JSON.parse(text).key;
      assert.equal(answer.statusCode, 503, text);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await lookAgain();
  }
}

interface Load {
  /** How many events are sent. */
  readonly wanted: number;
  /** What crashes after this number of confirmed events. */
  readonly crashAt: ReadonlyMap<number, () => Promise<void>>;
}

/** Returns the keys that were confirmed. */
export async function sendWhileCrashing(
  t: TestContext,
  url: string,
  { wanted, crashAt }: Load,
): Promise<ReadonlySet<string>> {
  const pool = new Pool(url, { connections: senders });
  t.after(() => pool.destroy());
  const confirmed = new Set<string>();
  let next = 0;
  const crashes: Promise<void>[] = [];
  const sender = async () => {
    while (next < wanted) {
      confirmed.add(await confirm(pool, next++));
      const crash = crashAt.get(confirmed.size);
      if (crash !== undefined) crashes.push(crash());
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  await Promise.all(crashes);
  assert.equal(crashes.length, crashAt.size);
  assert.equal(confirmed.size, wanted);
  return confirmed;
}

/** Until each of these keys has its registered record. */
export async function allRegistered(
  keys: ReadonlySet<string>,
  recordsOf: (topic: Topic) => Promise<readonly LogRecord[]>,
): Promise<void> {
  let registered = new Set<string>();
  const look = async () => {
    const entries = (await recordsOf("registered")).map((record) => readLedgerEntry(record));
    registered = new Set(entries.flatMap((entry) => (entry === null ? [] : [entry.idempotencyKey])));
    return [...keys].every((key) => registered.has(key));
  };
  await waitUntil(look, () => `${registered.size} of ${keys.size} registered`);
}

/** All of a topic as of now. */
export async function allRecords(log: EventLog, topic: Topic): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const { signal } = new AbortController();
  for (let partition = 0; partition < log.partitionCount; partition++) {
    const scan = await log.scan(topic, partition, 0, (batch) => records.push(...batch), signal);
    assert.ok(scan.ok, JSON.stringify(scan));
  }
  return records;
}
