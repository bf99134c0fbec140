import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { createProducer } from "../../src/kafka/producer.ts";
import type { NewRecord } from "../../src/ports.ts";
import { fakeLine, inTurn } from "./fake-broker.ts";
import { until } from "./waiting.ts";

const record: NewRecord = { topic: "enrolled", partition: 0, key: null, value: Buffer.of(1), headers: [] };
const settings = { publishTimeoutMs: 5_000, nameOf: (topic: string) => topic, topicIds: new Map() };

function producerOver(identities: () => Promise<unknown>) {
  let asked = 0;
  const line = fakeLine({
    initProducerId: () => {
      asked++;
      return identities() as Promise<{ producerId: string; producerEpoch: number }>;
    },
    versions: { 0: { minVersion: 3, maxVersion: 7 } },
    send: async () => [{ topic: "enrolled", partition: 0, errorCode: 0 }],
  });
  return { line, producer: createProducer(line, settings, systemClock), asked: () => asked };
}

test("prepared, it has its connection and its id before the first append", async (t) => {
  const { line, producer, asked } = producerOver(inTurn({ producerId: "7", producerEpoch: 0 }));
  t.after(() => producer.close());
  producer.prepare();
  await until(() => asked() === 1);
  assert.equal(line.opened, 1);
  assert.deepEqual(await producer.append([record]), { ok: true });
  producer.prepare();
  assert.deepEqual(await producer.append([record]), { ok: true });
  assert.deepEqual([line.opened, asked()], [1, 1]);
});

test("what failed while it was prepared is tried again by itself", async (t) => {
  const answers = inTurn<unknown>(new Error("reset"), { producerId: "7", producerEpoch: 0 });
  const { line, producer, asked } = producerOver(answers);
  t.after(() => producer.close());
  producer.prepare();
  await until(() => asked() === 1);
  assert.deepEqual(await producer.append([record]), { ok: true });
  assert.deepEqual([line.opened, asked()], [2, 2]);
});
