/** What the producer does when it can't know whether a batch was stored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualTime } from "../../../../lab/testkit/virtual-time.ts";
import { createProducer } from "../../../../src/log/kafka/produce/producer.ts";
import type { AppendResult, NewRecord } from "../../../../src/ports.ts";
import { fakeConnection, protocolError } from "../fake-broker.ts";
import { type FakePartition, fakePartition, type Step } from "../fake-partition.ts";

const aRecord = (value: string, partition = 0): NewRecord => ({
  topic: "enrolled",
  partition,
  key: null,
  value: Buffer.from(value),
  headers: [],
});

/** Where the only batch of a Produce request of version 7 begins. */
function batchIn(body: Buffer): Buffer {
  const headerBytes = 2 + 2 + 4 + 4 + 2 + "enrolled".length + 4 + 4 + 4;
  return body.subarray(headerBytes);
}

interface Broker {
  /** What the metadata say of the topic. */
  readonly topicId?: () => string | null;
  /** Awaited before a producer id is given; rejects where the broker refuses one. */
  readonly identity?: () => Promise<unknown>;
}

function producerOver(
  t: { after(run: () => void): void },
  partition: FakePartition,
  { topicId = () => null, identity = async () => ({}) }: Broker = {},
) {
  let ids = 0;
  const connection = fakeConnection(
    {
      initProducerId: async () => {
        await identity();
        return { producerId: String(++ids), producerEpoch: 0 };
      },
      versions: { 0: { minVersion: 3, maxVersion: 7 } },
      send: async ({ body }) => [
        { topic: "enrolled", partition: 0, errorCode: await partition.produce(batchIn(body)) },
      ],
    },
    topicId,
  );
  const settings = {
    publishTimeoutMs: 5_000,
    waitingBytesMax: 1_000_000,
    nameOf: (topic: string) => topic,
    topicIds: new Map([["enrolled", topicId()]]),
  };
  const time = virtualTime();
  const producer = createProducer(connection, settings, time);
  t.after(() => producer.close());
  /** To its end, without a limit of time. */
  async function append(records: readonly NewRecord[]): Promise<AppendResult> {
    let result: AppendResult | null = null;
    const call = producer.append(records).then((it) => {
      result = it;
      return it;
    });
    await time.until("the call settles", () => result !== null);
    return call;
  }
  return { connection, producer: { append } };
}

const storedUnheard: Step = { store: true, answer: "lost" };

for (const [code, name] of [
  [29, "TOPIC_AUTHORIZATION_FAILED"],
  [10, "MESSAGE_TOO_LARGE"],
  [87, "INVALID_RECORD"],
  [-1, "UNKNOWN_SERVER_ERROR"],
] as const) {
  test(`stored, unheard, and then ${name}: the next record is stored, not dropped as a duplicate`, async (t) => {
    const partition = fakePartition(storedUnheard, { refuse: code });
    const { producer } = producerOver(t, partition);
    const first = await producer.append([aRecord("first")]);
    assert.ok(!first.ok);
    assert.match(first.reason, new RegExp(name));
    assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
    assert.deepEqual(partition.values, ["first", "second"]);
    assert.deepEqual(partition.producers, [1n, 1n, 2n], "a new producer id began");
  });
}

for (const code of [7, 20]) {
  test(`error ${code} after it was stored, and then a refusal: the next record is stored`, async (t) => {
    const partition = fakePartition({ store: true, answer: code }, { refuse: 29 });
    const { producer } = producerOver(t, partition);
    assert.ok(!(await producer.append([aRecord("first")])).ok);
    assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
    assert.deepEqual(partition.values, ["first", "second"]);
  });
}

test("a refusal that came before anything was stored leaves id and sequence", async (t) => {
  const partition = fakePartition("judge", { refuse: 87 });
  const { producer } = producerOver(t, partition);
  assert.deepEqual(await producer.append([aRecord("first")]), { ok: true });
  assert.ok(!(await producer.append([aRecord("refused")])).ok);
  assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
  assert.deepEqual(partition.values, ["first", "second"]);
  assert.deepEqual(
    [partition.producers, partition.sequences],
    [
      [1n, 1n, 1n],
      [0, 1, 1],
    ],
  );
});

test("a batch that was sent elsewhere first is sent again under its id, and stored once", async (t) => {
  const partition = fakePartition({ refuse: 6 }, storedUnheard);
  const { producer } = producerOver(t, partition);
  assert.deepEqual(await producer.append([aRecord("first")]), { ok: true });
  assert.deepEqual(partition.values, ["first"]);
  assert.deepEqual(partition.sequences, [0, 0, 0]);
});

test("OUT_OF_ORDER_SEQUENCE_NUMBER: the call fails with it, and a new producer id begins", async (t) => {
  const partition = fakePartition("judge", { refuse: 45 });
  const { producer } = producerOver(t, partition);
  assert.deepEqual(await producer.append([aRecord("first")]), { ok: true });
  const refused = await producer.append([aRecord("refused")]);
  assert.ok(!refused.ok);
  assert.match(refused.reason, /OUT_OF_ORDER_SEQUENCE_NUMBER for enrolled\/0/);
  assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
  assert.deepEqual(partition.values, ["first", "second"]);
  assert.deepEqual(partition.producers, [1n, 1n, 2n]);
});

for (const [code, name] of [
  [47, "INVALID_PRODUCER_EPOCH"],
  [49, "INVALID_PRODUCER_ID_MAPPING"],
  [59, "UNKNOWN_PRODUCER_ID"],
] as const) {
  test(`${name} of a batch that was sent once: it is stored once, under a new producer id`, async (t) => {
    const partition = fakePartition("judge", { refuse: code });
    const { producer } = producerOver(t, partition);
    assert.deepEqual(await producer.append([aRecord("first")]), { ok: true });
    assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
    assert.deepEqual(partition.values, ["first", "second"]);
    assert.deepEqual(partition.producers, [1n, 1n, 2n]);
    assert.deepEqual(partition.sequences, [0, 1, 0]);
  });

  test(`${name} of a batch that an earlier sending may have stored: the call fails, nothing is stored twice`, async (t) => {
    const partition = fakePartition(storedUnheard, { refuse: code });
    const { producer } = producerOver(t, partition);
    const unsure = await producer.append([aRecord("first")]);
    assert.ok(!unsure.ok);
    assert.match(unsure.reason, new RegExp(`${name} for enrolled/0`));
    assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
    assert.deepEqual(partition.values, ["first", "second"]);
  });
}

test("after a sending that may have stored it, one that went elsewhere does not make a refusal certain", async (t) => {
  const partition = fakePartition(storedUnheard, { refuse: 6 }, { refuse: 87 });
  const { producer } = producerOver(t, partition);
  assert.ok(!(await producer.append([aRecord("first")])).ok);
  assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
  assert.deepEqual(partition.values, ["first", "second"]);
});

test("a duplicate of what was never sent before is not taken for stored", async (t) => {
  const partition = fakePartition({ refuse: 46 });
  const { producer } = producerOver(t, partition);
  assert.ok(!(await producer.append([aRecord("first")])).ok);
  assert.deepEqual(await producer.append([aRecord("second")]), { ok: true });
  assert.deepEqual(partition.values, ["second"]);
});

test("the right to write that is lost names operation and topic", async (t) => {
  const partition = fakePartition("judge", { refuse: 29 });
  const { producer } = producerOver(t, partition);
  assert.deepEqual(await producer.append([aRecord("first")]), { ok: true });
  const refused = await producer.append([aRecord("second")]);
  assert.ok(!refused.ok);
  assert.match(refused.reason, /may not Write to topic enrolled/);
  assert.deepEqual(partition.values, ["first"]);
});

test("a producer id that is refused acknowledges nothing, and names the operations", async (t) => {
  const partition = fakePartition();
  const refuse = async () => {
    throw protocolError("CLUSTER_AUTHORIZATION_FAILED");
  };
  const { producer } = producerOver(t, partition, { identity: refuse });
  const result = await producer.append([aRecord("first")]);
  assert.ok(!result.ok);
  assert.match(result.reason, /IdempotentWrite .*Write/);
  assert.deepEqual(partition.values, []);
});

test("where appends name no ids, a topic that was made again is noticed by the metadata", async (t) => {
  let id = "old";
  const partition = fakePartition("judge", { refuse: 3 });
  const { producer } = producerOver(t, partition, { topicId: () => id });
  assert.deepEqual(await producer.append([aRecord("first")]), { ok: true });
  id = "new";
  for (const value of ["second", "third"]) {
    const refused = await producer.append([aRecord(value)]);
    assert.ok(!refused.ok);
    assert.match(refused.reason, /enrolled was deleted and made again/);
  }
  assert.deepEqual(partition.values, ["first"]);
});
