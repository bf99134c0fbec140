/** In what order, and together with what, a producer sends. When it sends again is in producer-again.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { producerAlone, valuesOf } from "../producer-alone.ts";

const ok = { ok: true };

describe("connecting", () => {
  test("prepared, it has its connection and its id before the first append, once for all", async (t) => {
    const { time, producer, connection, sendings, append } = producerAlone(t);
    producer.prepare();
    producer.prepare();
    await time.rest();
    assert.deepEqual([connection.opened, sendings.length], [1, 0]);
    const first = append("a");
    await time.rest();
    producer.prepare();
    const second = append("b");
    await time.rest();
    assert.deepEqual([first.result, second.result], [ok, ok]);
    assert.deepEqual(
      sendings.map(({ parts }) => parts[0]!.producerId),
      [1, 1],
    );
  });

  test("calls that come while it connects wait for that one connection", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    brokers.identify = () => {
      asked += 1;
      return promise;
    };
    append("a");
    await time.rest();
    append("b");
    await time.rest();
    resolve();
    await time.rest();
    assert.deepEqual([connection.opened, asked], [1, 1]);
    assert.deepEqual(valuesOf(sendings), [[["a", "b"]]]);
  });

  test("what fails is tried again after 100 ms, no earlier for a call that comes meanwhile", async (t) => {
    const { time, producer, brokers, connection, append } = producerAlone(t);
    brokers.identify = async () => {
      throw new Error("reset");
    };
    producer.prepare();
    await time.rest();
    const call = append("a");
    await time.pass(99);
    brokers.identify = async () => {};
    assert.deepEqual([connection.opened, call.result], [1, null]);
    await time.pass(1);
    assert.deepEqual([connection.opened, call.result], [2, ok]);
  });

  test("a connection that went leaves id and sequences; the next one is opened when there is something to send", async (t) => {
    const { time, connection, sendings, append } = producerAlone(t);
    append("a");
    await time.rest();
    connection.drop(await connection.cluster());
    await time.pass(1_000);
    assert.equal(connection.opened, 1);
    const call = append("b");
    await time.rest();
    assert.deepEqual([call.result, connection.opened], [ok, 2]);
    assert.deepEqual(
      sendings.map(({ parts: [part] }) => [part!.producerId, part!.sequence]),
      [
        [1, 0],
        [1, 1],
      ],
    );
  });
});

describe("requests", () => {
  test("calls made together, to all partitions of a leader, are one request; another leader gets another", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.leaderOf = (topicPartition) => (topicPartition === "dlq/1" ? 2 : 1);
    const calls = [append("a", "enrolled/1:b"), append("c", "dlq/1:d")];
    await time.rest();
    assert.deepEqual(
      sendings.map(({ leader, parts }) => [
        leader,
        parts.map(({ topicPartition, values }) => [topicPartition, ...values]),
      ]),
      [
        [1, [["enrolled/0", "a", "c"], ["enrolled/1", "b"]]], // biome-ignore format: as a table
        [2, [["dlq/1", "d"]]],
      ],
    );
    assert.deepEqual([calls[0]!.result, calls[1]!.result], [ok, ok]);
  });

  test("one leader has one request at a time; what comes meanwhile goes next, in order", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    append("a");
    await time.rest();
    append("enrolled/1:b");
    append("c");
    await time.rest();
    append("d");
    await time.rest();
    assert.equal(sendings.length, 1);
    sendings[0]!.answer();
    await time.rest();
    assert.deepEqual(valuesOf(sendings), [[["a"]], [["c", "d"], ["b"]]]);
  });

  test("a partition whose leader moved has still one batch at a time", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    append("a");
    await time.rest();
    brokers.leaderOf = () => 2;
    append("b");
    await time.rest();
    assert.equal(sendings.length, 1);
    sendings[0]!.answer();
    await time.rest();
    assert.deepEqual(
      sendings.map(({ leader, parts }) => [leader, parts[0]!.sequence]),
      [
        [1, 0],
        [2, 1],
      ],
    );
  });

  test("a partition whose leader moves while that is being reached is in one request", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    brokers.reach = (leader) => (leader === 1 ? promise : Promise.resolve());
    append("a");
    await time.rest();
    brokers.leaderOf = () => 2;
    append("b");
    await time.rest();
    assert.equal(sendings.length, 0);
    resolve();
    await time.rest();
    assert.deepEqual(
      sendings.map(({ leader, parts: [part] }) => [leader, ...part!.values]),
      [[1, "a", "b"]],
    );
  });

  test("each partition and topic is judged by its own answer", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    const calls = ["enrolled/0:a", "enrolled/1:b", "dlq/0:c", "dlq/1:d"].map((value) => append(value));
    await time.rest();
    sendings[0]!.answer({ "enrolled/1": 87, "dlq/0": 29 });
    await time.rest();
    assert.deepEqual(
      calls.map(({ result }) => result?.ok),
      [true, false, false, true],
    );
  });

  test("a call is done when its last record is, and leaves no timer", async (t) => {
    const { time, brokers, sendings, append, timers } = producerAlone(t);
    brokers.answersAtOnce = false;
    brokers.leaderOf = (topicPartition) => (topicPartition === "enrolled/1" ? 2 : 1);
    const call = append("a", "enrolled/1:b");
    await time.rest();
    sendings[0]!.answer();
    await time.rest();
    assert.equal(call.result, null);
    sendings[1]!.answer();
    await time.rest();
    assert.deepEqual([call.result, timers()], [ok, 0]);
  });

  test("each record's offset is reported, if the broker returns it", async (t) => {
    const { time, brokers, append } = producerAlone(t);
    for (const baseOffset of [0, 100]) {
      brokers.baseOffset = baseOffset;
      const calls = [append("a", "enrolled/1:b", "c"), append("d")];
      await time.rest();
      assert.deepEqual(calls[0]!.stored, [[0, baseOffset], [2, baseOffset + 1], [1, baseOffset]]); // biome-ignore format: as a table
      assert.deepEqual(calls[1]!.stored, [[0, baseOffset + 2]]);
    }
    brokers.baseOffset = -1;
    const call = append("e");
    await time.rest();
    assert.deepEqual([call.result, call.stored], [ok, []]);
  });

  test("a call without records is done immediately, and sends nothing", async (t) => {
    const { time, connection, append } = producerAlone(t);
    const call = append();
    await time.rest();
    assert.deepEqual([call.result, connection.opened], [ok, 0]);
  });
});
