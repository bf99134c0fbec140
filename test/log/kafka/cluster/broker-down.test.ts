/** A broker that dies and comes back, under a log that is open. It is this file's own, to be killed. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { skipWithout, startOwnBroker } from "../../../../lab/testkit/broker.ts";
import type { LogEvent } from "../../../../src/log/kafka/cluster/health.ts";
import type { LogRecord, NewRecord, Session } from "../../../../src/ports.ts";
import { Signal } from "../../../contracts/event-log/harness.ts";
import { openLog, settingsFor } from "../harness.ts";
import { eventually, until } from "../waiting.ts";

const broker = await startOwnBroker();
after(() => (broker.ok ? broker.stop() : undefined));
const skip = skipWithout(broker);

const record = (value: string): NewRecord => ({
  topic: "enrolled",
  partition: 0,
  key: null,
  value: Buffer.from(value),
  headers: [],
});

test("a broker is killed and started again: the log recovers by itself", {
  skip,
  timeout: 120_000,
}, async (t) => {
  assert.ok(broker.ok);
  const events: LogEvent[] = [];
  const changed = new Signal();
  const onEvent = (event: LogEvent) => {
    events.push(event);
    changed.fire();
  };
  const log = await openLog(
    settingsFor({ brokers: broker.brokers, publishTimeoutMs: 1500, sessionTimeoutMs: 10_000, onEvent }),
  );
  t.after(() => log.close());
  const sessions: Session[] = [];
  const failures: string[] = [];
  const membership = await log.join(
    (session) => sessions.push(session),
    (reason) => failures.push(reason),
  );
  t.after(() => membership.leave());
  await until(() => sessions.length === 1);
  assert.deepEqual(await log.append([record("before")]), { ok: true });
  const first = sessions[0]!;
  first.seek("enrolled", 0, 0, -1);
  assert.equal((await first.read("enrolled", 0)).kind, "records");
  assert.equal(
    await first.commit([{ topic: "enrolled", partition: 0, offset: 1, metadata: "kept" }]),
    "committed",
  );
  const waiting = first.read("enrolled", 0);

  // A coordinator that took long to load may have been reported before.
  events.length = 0;
  const told = changed.next();
  await broker.kill();
  const down = await log.append([record("while down")]);
  assert.ok(!down.ok);
  assert.match(down.reason, /1500 ms/);
  const abort = new AbortController();
  const scan = log.scan("enrolled", 0, 0, () => {}, abort.signal);
  await told;
  assert.ok(events[0]!.kind === "log-unreachable" && broker.brokers.includes(events[0]!.broker));
  assert.match(log.trouble!()!, /127\.0\.0\.1:\d+: .*(ECONNREFUSED|refused)/);
  await broker.start();

  assert.ok((await scan).ok, "a scan that began while the broker was away ends well");
  await eventually(async () => ((await log.append([record("after")])).ok ? true : null));
  const newest = await eventually(async () => {
    const session = sessions.at(-1)!;
    const commit = { topic: "enrolled", partition: 0, offset: 1, metadata: "still kept" } as const;
    return (await session.commit([commit])) === "committed" ? session : null;
  });
  const read = newest === first ? await waiting : await rereadFrom(newest);
  assert.ok(read.kind === "records");
  assert.equal(String(read.records.at(-1)!.value), "after");
  const stored: string[] = [];
  const onRecords = (records: readonly LogRecord[]) =>
    stored.push(...records.map(({ value }) => String(value)));
  assert.ok((await log.scan("enrolled", 0, 0, onRecords, abort.signal)).ok);
  assert.deepEqual(stored, ["before", "after"], "what failed was not sent later");
  assert.deepEqual(failures, []);
  while (events.length < 2) await changed.next();
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["log-unreachable", "log-reachable"],
  );
  assert.equal(log.trouble!(), null);
});

async function rereadFrom(session: Session) {
  session.seek("enrolled", 0, 1, -1);
  return session.read("enrolled", 0);
}
