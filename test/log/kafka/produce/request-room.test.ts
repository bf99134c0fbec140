/** No Produce request is larger than an Event Hubs namespace takes, for any number of partitions with something to send. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { producerAlone, reasonOf } from "../producer-alone.ts";

const requestMax = 1_046_528;
const ok = { ok: true };
const large = (partition: number, bytes = 400_000) => `enrolled/${partition}:${"x".repeat(bytes)}`;
const ten = Array.from({ length: 10 }, (_, partition) => partition);

test("ten partitions with more than fits go out in several requests, and all of it is stored", async (t) => {
  const { time, sendings, append } = producerAlone(t);
  const calls = ten.map((partition) => append(large(partition)));
  await time.pass(100);
  for (const { result } of calls) assert.deepEqual(result, ok);
  assert.equal(sendings.length, 5);
  for (const { bytes } of sendings) assert.ok(bytes <= requestMax, String(bytes));
});

test("many small batches of many partitions fill a request together", async (t) => {
  const { time, sendings, append } = producerAlone(t);
  const calls = ten.flatMap((partition) => Array.from({ length: 40 }, () => append(large(partition, 3_000))));
  await time.pass(100);
  for (const { result } of calls) assert.deepEqual(result, ok);
  assert.deepEqual(sendings.map(({ bytes }) => bytes > 900_000 && bytes <= requestMax).slice(0, -1), [true]);
});

test("a partition that was left out comes first in the next request", async (t) => {
  const { time, brokers, sendings, append } = producerAlone(t);
  brokers.answersAtOnce = false;
  for (const partition of [0, 1, 2]) append(large(partition));
  await time.rest();
  for (const partition of [0, 1]) append(large(partition));
  sendings[0]!.answer();
  await time.rest();
  const sent = sendings.map(({ parts }) => parts.map(({ topicPartition }) => topicPartition));
  assert.deepEqual(sent, [
    ["enrolled/0", "enrolled/1"],
    ["enrolled/2", "enrolled/0"],
  ]);
});

test("a batch that is sent again takes its room as it is", async (t) => {
  const { time, brokers, sendings, append } = producerAlone(t);
  const calls = [0, 1].map((partition) => append(large(partition, 450_000), large(partition, 400_000)));
  brokers.judge = () => 7;
  await time.pass(50);
  brokers.judge = () => 0;
  await time.pass(1_000);
  for (const { result } of calls) assert.deepEqual(result, ok);
  for (const { bytes } of sendings) assert.ok(bytes <= requestMax, String(bytes));
});

test("a record that is larger alone goes alone to Kafka, whose brokers may take it", async (t) => {
  const { time, sendings, append } = producerAlone(t);
  const calls = [append(large(0, 2_000_000)), append(large(1, 10))];
  await time.pass(100);
  for (const { result } of calls) assert.deepEqual(result, ok);
  assert.deepEqual(
    sendings.map(({ parts }) => parts.length),
    [1, 1],
  );
});

test("Event Hubs would close the connection: such a record is refused immediately, and nothing is sent", async (t) => {
  const { time, sendings, append } = producerAlone(t, { flavor: "event-hubs" });
  const refused = append(large(0, 1_040_000));
  const taken = append(large(0, 990_000));
  await time.pass(100);
  assert.match(
    reasonOf(refused),
    /^a record of about 10\d{5} bytes is larger than enrolled\/0 takes: Event Hubs/,
  );
  assert.deepEqual(taken.result, ok);
  assert.equal(sendings.length, 1);
});

test("Event Hubs takes a record of just a million bytes with what is said of it; of several larger ones the first is named", async (t) => {
  const { time, sendings, append } = producerAlone(t, { flavor: "event-hubs" });
  /** Of each record, beside its value. */
  const ownBytes = 32;
  const taken = append(large(0, 1_000_000 - ownBytes));
  const refused = append(large(0, 10), large(1, 1_000_001 - ownBytes), large(2, 1_040_000));
  await time.pass(100);
  assert.deepEqual(taken.result, ok);
  assert.match(reasonOf(refused), /^a record of about 1000001 bytes is larger than enrolled\/1 takes/);
  assert.equal(sendings.length, 1, "of a call that is refused nothing is sent");
});

test("of partitions that were left out, who waits longest comes first, however much comes for the others", async (t) => {
  const { time, brokers, sendings, append } = producerAlone(t);
  brokers.answersAtOnce = false;
  for (const partition of [0, 1, 2]) append(large(partition, 600_000));
  await time.rest();
  for (const partition of [0, 1, 2]) {
    append(large(partition, 600_000));
    sendings.at(-1)!.answer();
    await time.rest();
  }
  brokers.answersAtOnce = true;
  sendings.at(-1)!.answer();
  await time.pass(100);
  assert.deepEqual(
    sendings.map(({ parts }) => parts.map(({ topicPartition }) => topicPartition)),
    [0, 1, 2, 0, 1, 2].map((partition) => [`enrolled/${partition}`]),
  );
});
