import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { CompressionTypes } from "kafkajs";
import type { KafkaLog } from "../../../src/log/kafka/kafka-log.ts";
import type { LogRecord, NewRecord, Session, Topic } from "../../../src/ports.ts";
import { kafkaTest, openHarness, plainKafka, withAdmin } from "./harness.ts";
import { eventually, until } from "./waiting.ts";

/** Partition 0. */
async function scan(log: KafkaLog, topic: Topic, from = 0) {
  const records: LogRecord[] = [];
  const { signal } = new AbortController();
  const result = await log.scan(topic, 0, from, (batch) => records.push(...batch), signal);
  assert.ok(result.ok, result.ok ? "" : result.reason);
  return { records, nextOffset: result.nextOffset };
}

const text = (record: LogRecord) => String(record.value);

function newRecord(topic: Topic, value: string | Buffer, key: string | null = null): NewRecord {
  return {
    topic,
    partition: 0,
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(value),
    headers: [],
  };
}

kafkaTest("records that another client wrote are read wherever its partitioner put them", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  const producer = plainKafka().producer();
  t.after(() => producer.disconnect());
  await producer.connect();
  const sent: string[] = [];
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
    const messages = Array.from({ length: 10 }, (_, index) => ({
      value: `${compression} ${index}`,
      key: null,
    }));
    sent.push(...messages.map((message) => message.value));
    await producer.send({ topic: harness.name("enrolled"), compression, messages });
  }
  const sessions: Session[] = [];
  const membership = await harness.log.join(
    (session) => sessions.push(session),
    (reason) => assert.fail(reason),
  );
  t.after(() => membership.leave());
  await until(() => sessions.length > 0);
  const [session] = sessions as [Session];
  // A set: that client's producer repeats itself when a new topic's leaders are not ready.
  const got = new Set<string>();
  const follow = async (partition: number) => {
    session.seek("enrolled", partition, 0, -1);
    while (got.size < sent.length) {
      const read = await session.read("enrolled", partition);
      if (read.kind !== "records") return;
      for (const record of read.records) got.add(text(record));
    }
  };
  void follow(0);
  void follow(1);
  await until(() => got.size >= sent.length);
  assert.deepEqual([...got].sort(), sent.sort());
});

/** One that is not ours. */
async function transactionalProducer(t: TestContext, transactionalId: string) {
  const producer = plainKafka().producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  t.after(() => producer.disconnect());
  await producer.connect();
  return producer;
}

kafkaTest("a scan ends behind transaction markers, and leaves out what was aborted", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  const producer = await transactionalProducer(t, harness.settings.topicPrefix);
  for (const [value, end] of [
    ["kept", "commit"],
    ["dropped", "abort"],
  ] as const) {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: harness.name("registered"),
      messages: [{ partition: 0, key: "k", value }],
    });
    await transaction[end]();
  }
  // The markers are written after the transaction's end was acknowledged.
  const { records, nextOffset } = await eventually(async () => {
    const scanned = await scan(harness.log, "registered");
    return scanned.nextOffset === 4 ? scanned : null;
  });
  assert.deepEqual(records.map(text), ["kept"]);
  assert.equal(nextOffset, 4);
});

kafkaTest("what was appended behind another client's open transaction is waited for", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  const producer = await transactionalProducer(t, harness.settings.topicPrefix);
  const transaction = await producer.transaction();
  const messages = [{ partition: 0, key: "k", value: "foreign" }];
  await transaction.send({ topic: harness.name("registered"), messages });
  assert.deepEqual(await harness.log.append([newRecord("registered", "ours", "key")]), { ok: true });
  const scanning = scan(harness.log, "registered", 0);
  // Round trips in which a scan that does not wait has ended.
  for (let n = 0; n < 3; n++) assert.ok((await harness.log.survey()).ok);
  await transaction.abort();
  assert.deepEqual((await scanning).records.map(text), ["ours"]);
});

kafkaTest("a compacted ledger is scanned to its end, and from any offset in it", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  await withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: harness.name("registered"),
          configEntries: Object.entries({
            "cleanup.policy": "compact",
            "segment.bytes": "1048576",
            "min.cleanable.dirty.ratio": "0.0",
            "max.compaction.lag.ms": "1",
            "delete.retention.ms": "0",
          }).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );
  const filler = Buffer.alloc(40_000, "x");
  let appended = 0;
  // Every round rewrites the same keys; segments roll by size, and the closed ones are compacted in the background.
  const compacted = await eventually(async () => {
    const round = Array.from({ length: 30 }, (_, index) =>
      newRecord("registered", Buffer.concat([Buffer.from(`${appended + index} `), filler]), `key${index}`),
    );
    assert.deepEqual(await harness.log.append(round), { ok: true });
    appended += round.length;
    const scanned = await scan(harness.log, "registered");
    assert.equal(scanned.nextOffset, appended);
    return scanned.records.length < appended ? scanned : null;
  });
  const newest = new Map(compacted.records.map((record) => [String(record.key), record]));
  assert.equal(newest.size, 30);
  const first = compacted.records[0]!.offset;
  for (const from of [0, 1, Math.floor(first / 2), first, first + 1, appended - 1, appended]) {
    const scanned = await scan(harness.log, "registered", from);
    assert.ok(scanned.records.every((record) => record.offset >= from));
    assert.equal(scanned.nextOffset, appended);
  }
});

kafkaTest(
  "a record that the broker finds too large is refused with what to type; others are stored",
  async (t) => {
    const harness = await openHarness(t);
    t.after(harness.close);
    const large = newRecord("enrolled", Buffer.alloc(1_500_000));
    const [refused, stored] = await Promise.all([
      harness.log.append([large]),
      harness.log.append([newRecord("enrolled", "small")]),
    ]);
    assert.ok(!refused.ok);
    assert.match(refused.reason, /max\.message\.bytes.*kafka-configs\.sh/);
    assert.deepEqual(stored, { ok: true });
    assert.deepEqual((await scan(harness.log, "enrolled")).records.map(text), ["small"]);
  },
);

kafkaTest("a batch that is too large as a whole is split, in order and without loss", async (t) => {
  const harness = await openHarness(t);
  t.after(harness.close);
  const configEntries = [{ name: "max.message.bytes", value: "20000" }];
  await withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: harness.name("enrolled"), configEntries }],
    }),
  );
  const values = Array.from({ length: 60 }, (_, index) => `${index} ${"x".repeat(5000)}`);
  assert.deepEqual(await harness.log.append(values.map((value) => newRecord("enrolled", value))), {
    ok: true,
  });
  assert.deepEqual((await scan(harness.log, "enrolled")).records.map(text), values);
});

kafkaTest("an append to a partition that is not there fails in time, and harms no other", async (t) => {
  const harness = await openHarness(t, { publishTimeoutMs: 1000 });
  t.after(harness.close);
  const nowhere = { ...newRecord("enrolled", "x"), partition: 99 };
  const [lost, stored] = await Promise.all([
    harness.log.append([nowhere]),
    harness.log.append([newRecord("enrolled", "here")]),
  ]);
  assert.ok(!lost.ok);
  assert.match(lost.reason, /1000 ms/);
  assert.deepEqual(stored, { ok: true });
  assert.deepEqual(await harness.log.append([newRecord("enrolled", "after")]), { ok: true });
  assert.deepEqual((await scan(harness.log, "enrolled")).records.map(text), ["here", "after"]);
});
