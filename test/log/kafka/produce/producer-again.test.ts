/** When a producer sends a batch again. What it does where it can't know whether one was stored: producer-doubt.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { producerAlone, publishTimeoutMs, valuesOf } from "../producer-alone.ts";

const ok = { ok: true };

describe("sending again", () => {
  const notLeader = 6;

  test("a batch whose leader is elsewhere is sent again after 100 ms and a look at the metadata", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    brokers.judge = () => (sendings.length === 1 ? notLeader : 0);
    const call = append("a");
    await time.pass(99);
    assert.deepEqual([sendings.length, connection.refreshed], [1, 0]);
    await time.pass(1);
    assert.deepEqual([sendings.length, connection.refreshed, connection.opened, call.result], [2, 1, 1, ok]);
    await time.pass(1_000);
    assert.equal(connection.refreshed, 1, "what is stored asks for nothing more");
  });

  test("a batch whose producer id no broker knows waits 100 ms for each other one", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.judge = () => (sendings.length < 10 ? 59 : 0);
    const call = append("a");
    await time.pass(850);
    assert.deepEqual([sendings.length, call.result], [9, null]);
    await time.pass(100);
    assert.deepEqual([sendings.length, call.result], [10, ok]);
    assert.deepEqual([...new Set(sendings.map(({ parts: [part] }) => part!.producerId))].length, 10);
  });

  test("meanwhile the other partitions are sent, and it is not", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.judge = ({ topicPartition }) =>
      topicPartition === "enrolled/0" && sendings.length === 1 ? notLeader : 0;
    append("a");
    await time.pass(50);
    append("b", "enrolled/1:c");
    await time.pass(49);
    assert.deepEqual(valuesOf(sendings), [[["a"]], [["c"]]]);
    await time.pass(1_000);
    assert.deepEqual(valuesOf(sendings).slice(2), [[["a"]], [["b"]]]);
  });

  test("where the metadata can't be read, the connection is another one", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    brokers.judge = () => (sendings.length === 1 ? notLeader : 0);
    brokers.refresh = async () => {
      throw new Error("reset");
    };
    const call = append("a");
    await time.pass(100);
    assert.deepEqual([call.result, connection.refreshed, connection.opened], [ok, 1, 2]);
  });

  test("a request that is lost closes its connection, whose metadata is not asked for", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    const call = append("a");
    await time.rest();
    sendings[0]!.lose();
    await time.pass(100);
    assert.deepEqual([connection.opened, connection.refreshed], [2, 0]);
    sendings[1]!.answer();
    await time.rest();
    assert.deepEqual(call.result, ok);
  });

  test("a batch that the answer does not name is sent again", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    const calls = [append("a"), append("enrolled/1:b")];
    await time.rest();
    sendings[0]!.answer({ "enrolled/0": null });
    await time.pass(100);
    assert.deepEqual(valuesOf(sendings), [[["a"], ["b"]], [["a"]]]);
    sendings[1]!.answer();
    await time.rest();
    assert.deepEqual([calls[0]!.result, calls[1]!.result], [ok, ok]);
  });

  test("a leader that can't be reached is tried again after 100 ms, over another connection", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    brokers.reach = async () => {
      throw new Error("refused");
    };
    const call = append("a");
    await time.pass(99);
    assert.equal(connection.opened, 1);
    brokers.reach = async () => {};
    await time.pass(1);
    assert.deepEqual([connection.opened, call.result], [2, ok]);
    const [part] = sendings[0]!.parts;
    assert.deepEqual([part!.producerId, part!.sequence], [1, 0]);
  });

  test("a partition without a leader waits for one", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    brokers.leaderOf = () => null;
    const call = append("a");
    await time.pass(250);
    assert.deepEqual([sendings.length, connection.refreshed], [0, 2]);
    brokers.leaderOf = () => 1;
    await time.pass(50);
    assert.deepEqual(call.result, ok);
  });
});

describe("a new producer id", () => {
  const outOfOrder = 45;

  test("begins for the partition whose batch is given up; batches of others are sent again under theirs", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    brokers.leaderOf = (topicPartition) => (topicPartition === "enrolled/1" ? 2 : 1);
    const calls = [append("a"), append("enrolled/1:b"), append("enrolled/2:c")];
    await time.rest();
    sendings[0]!.answer({ "enrolled/0": outOfOrder, "enrolled/2": null });
    await time.rest();
    assert.deepEqual(
      calls.map(({ result }) => result?.ok),
      [false, undefined, undefined],
    );
    append("d");
    await time.pass(100);
    sendings[1]!.answer();
    sendings[2]!.answer();
    await time.pass(100);
    for (const sending of sendings.slice(3)) sending.answer();
    await time.rest();
    assert.deepEqual([calls[1]!.result, calls[2]!.result], [ok, ok]);
    const sent = sendings.flatMap(({ parts }) => parts);
    const of = (topicPartition: string) =>
      sent
        .filter((part) => part.topicPartition === topicPartition)
        .map(({ producerId, sequence, values }) => [producerId, sequence, ...values]);
    assert.deepEqual(of("enrolled/0"), [[1, 0, "a"], [2, 0, "d"]]); // biome-ignore format: as a table
    assert.deepEqual(of("enrolled/1"), [[1, 0, "b"]]);
    assert.deepEqual(of("enrolled/2"), [[1, 0, "c"], [1, 0, "c"]]); // biome-ignore format: as a table
    assert.equal(connection.opened, 1, "nothing that is under way was given up");
    brokers.answersAtOnce = true;
    append("enrolled/1:e");
    append("enrolled/1:f");
    await time.rest();
    append("enrolled/1:g");
    await time.rest();
    const last = sendings.slice(-2).map(({ parts: [part] }) => [part!.producerId, part!.sequence]);
    assert.deepEqual(last, [[2, 0], [2, 2]]); // biome-ignore format: as a table
  });

  test("begins also where a batch is given up while its leader is being reached", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    append("a");
    await time.rest();
    const { promise, resolve } = Promise.withResolvers<void>();
    brokers.reach = () => promise;
    sendings[0]!.answer({ "enrolled/0": null });
    await time.pass(1_000);
    const later = append("b");
    await time.pass(publishTimeoutMs - 1_000);
    resolve();
    brokers.answersAtOnce = true;
    await time.rest();
    assert.deepEqual(later.result, ok);
    const sent = sendings.flatMap(({ parts }) => parts);
    assert.deepEqual(
      sent.map(({ producerId, sequence, values }) => [producerId, sequence, ...values]),
      [[1, 0, "a"], [2, 0, "b"]], // biome-ignore format: as a table
    );
  });

  test("leaves what was given up while its leader was being reached unsent", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    const { promise, resolve } = Promise.withResolvers<void>();
    brokers.reach = () => promise;
    append("a");
    await time.pass(publishTimeoutMs);
    resolve();
    await time.pass(1_000);
    assert.deepEqual([sendings.length, connection.opened], [0, 1]);
  });
});

describe("a batch that is too large", () => {
  const tooLarge = 10;

  test("is split until it fits, in order; then batches grow again", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.judge = ({ values }) => (values.length > 1 ? tooLarge : 0);
    const call = append("a", "b", "c", "d");
    await time.rest();
    assert.deepEqual(
      valuesOf(sendings).map(([values]) => values!.join("")),
      ["abcd", "ab", "a", "bc", "b", "cd", "c", "d"],
    );
    assert.deepEqual(call.result, ok);
    brokers.judge = () => 0;
    append("e", "f", "g", "h", "i");
    await time.rest();
    assert.deepEqual(
      valuesOf(sendings)
        .slice(8)
        .map(([values]) => values!.join("")),
      ["efgh", "i"],
    );
  });

  test("of one record fails its call, and leaves the others", async (t) => {
    const { time, brokers, append } = producerAlone(t);
    brokers.judge = ({ values }) => (values.includes("large") ? tooLarge : 0);
    const calls = [append("a"), append("large"), append("b")];
    await time.rest();
    assert.deepEqual(
      calls.map(({ result }) => result?.ok),
      [true, false, true],
    );
    const { result } = calls[1]!;
    assert.match(
      result?.ok === false ? result.reason : "",
      /about 37 bytes is larger than enrolled\/0 takes/,
    );
  });

  test("fails its call with others of it; those that are stored in other partitions are told of", async (t) => {
    const { time, brokers, append } = producerAlone(t);
    brokers.baseOffset = 7;
    brokers.judge = ({ values }) => (values.includes("large") ? tooLarge : 0);
    const call = append("registered/0:a", "dlq/0:large", "registered/1:b");
    await time.rest();
    assert.equal(call.result?.ok, false);
    assert.deepEqual(
      call.stored.map(([index]) => index),
      [0, 2],
    );
  });

  test("another refusal is of all of it", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.judge = () => 87;
    const calls = [append("a"), append("b")];
    await time.rest();
    assert.equal(sendings.length, 1);
    for (const { result } of calls)
      assert.deepEqual(result, { ok: false, reason: "INVALID_RECORD for enrolled/0" });
  });
});
