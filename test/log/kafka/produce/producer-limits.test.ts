/** When a producer gives a call up, or does not take it, and what becomes of the others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { protocolError } from "../fake-broker.ts";
import { producerAlone, publishTimeoutMs, reasonOf, valuesOf } from "../producer-alone.ts";

const ok = { ok: true };
const timedOut = (why: string) => `not acknowledged within ${publishTimeoutMs} ms: ${why}`;

describe("a call that takes too long", () => {
  test("says what the last trouble was, until something is stored", async (t) => {
    const { time, brokers, append } = producerAlone(t);
    brokers.leaderOf = () => null;
    const leaderless = append("a");
    await time.pass(publishTimeoutMs - 1);
    assert.equal(leaderless.result, null);
    await time.pass(1);
    assert.equal(reasonOf(leaderless), timedOut("the partition has no leader"));

    brokers.leaderOf = () => 1;
    brokers.judge = () => 6;
    const elsewhere = append("b");
    await time.pass(publishTimeoutMs);
    assert.equal(reasonOf(elsewhere), timedOut("NOT_LEADER_OR_FOLLOWER for enrolled/0"));

    brokers.judge = () => 59;
    const unknown = append("b");
    await time.pass(publishTimeoutMs);
    assert.equal(reasonOf(unknown), timedOut("UNKNOWN_PRODUCER_ID for enrolled/0"));

    brokers.judge = () => 0;
    append("c");
    await time.pass(100);
    brokers.answersAtOnce = false;
    const silent = append("d");
    await time.pass(publishTimeoutMs);
    assert.equal(reasonOf(silent), timedOut("the broker did not answer"));
  });

  test("names what a lost request said, and what kept it from connecting", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    const lost = append("a");
    await time.rest();
    sendings[0]!.lose();
    await time.pass(publishTimeoutMs);
    assert.equal(reasonOf(lost), timedOut("reset"));
    sendings[1]!.lose();
    brokers.identify = async () => {
      throw new Error("no controller");
    };
    const unconnected = append("b");
    await time.pass(publishTimeoutMs);
    assert.equal(reasonOf(unconnected), timedOut("no controller"));
  });

  test("while it waits is dropped, and no connection with it; what others wait for is sent", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    brokers.leaderOf = () => null;
    const calls = [append("a", "enrolled/1:b")];
    await time.pass(1_000);
    calls.push(append("c"));
    await time.pass(publishTimeoutMs - 1_000);
    assert.deepEqual([calls[0]!.result?.ok, calls[1]!.result], [false, null]);
    brokers.leaderOf = () => 1;
    await time.pass(100);
    assert.deepEqual(calls[1]!.result, ok);
    assert.deepEqual(valuesOf(sendings), [[["c"]]]);
    assert.equal(connection.opened, 1);
  });

  test("while its batch is under way fails all of that batch; a new connection and producer id begin", async (t) => {
    const { time, brokers, connection, sendings, append } = producerAlone(t);
    const { promise, resolve } = Promise.withResolvers<void>();
    brokers.identify = () => promise;
    brokers.answersAtOnce = false;
    // Of two partitions, the second still waits: what is under way elsewhere decides.
    brokers.leaderOf = (topicPartition) => (topicPartition === "enrolled/1" ? null : 1);
    const first = append("a", "enrolled/1:b");
    await time.pass(1_000);
    const inItsBatch = append("c");
    await time.rest();
    resolve();
    await time.pass(500);
    assert.deepEqual(valuesOf(sendings), [[["a", "c"]]]);
    const later = append("d");
    const cluster = await connection.cluster();
    assert.equal(cluster.closed, false);
    await time.pass(publishTimeoutMs - 1_500);
    assert.equal(cluster.closed, true, "what is under way is reset");
    assert.match(reasonOf(first), /^not acknowledged within/);
    assert.equal(
      reasonOf(inItsBatch),
      `enrolled/0: its batch held records of an append that failed: ${reasonOf(first)}`,
    );
    assert.equal(later.result, null);
    sendings[0]!.lose();
    await time.pass(100);
    sendings[1]!.answer();
    await time.rest();
    assert.deepEqual([later.result, connection.opened], [ok, 2]);
    const [part] = sendings[1]!.parts;
    assert.deepEqual([part!.producerId, part!.sequence, part!.values], [2, 0, ["d"]]);
  });

  test("leaves what is under way to other partitions: it is sent again as it was", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    const late = append("a");
    await time.pass(1_000);
    brokers.leaderOf = (topicPartition) => (topicPartition === "enrolled/1" ? 2 : 1);
    const other = append("enrolled/1:b");
    await time.pass(publishTimeoutMs - 1_000);
    assert.deepEqual([late.result?.ok, other.result], [false, null]);
    // Its connection was reset.
    for (const sending of sendings) sending.lose();
    brokers.answersAtOnce = true;
    await time.pass(100);
    assert.deepEqual(other.result, ok);
    assert.deepEqual(valuesOf(sendings), [[["a"]], [["b"]], [["b"]]]);
    const [, first, again] = sendings.map(({ parts: [part] }) => [part!.producerId, part!.sequence]);
    assert.deepEqual(again, first);
  });

  test("a late answer to a batch that was given up counts for nothing: the new producer id begins at 0", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    append("a");
    await time.pass(publishTimeoutMs);
    sendings[0]!.answer();
    append("b");
    await time.rest();
    const [part] = sendings[1]!.parts;
    assert.deepEqual([part!.producerId, part!.sequence], [2, 0]);
  });
});

describe("bytes that wait", () => {
  /** 32 bytes of each record, and its value. */
  const half = "x".repeat(18);
  const waiting = { waitingBytesMax: 100 };

  test("are limited to the last byte; what is beyond is refused immediately", async (t) => {
    const { time, brokers, append } = producerAlone(t, waiting);
    brokers.answersAtOnce = false;
    append(half);
    const full = append(half);
    const beyond = append("");
    await time.rest();
    assert.equal(full.result, null);
    assert.equal(reasonOf(beyond), "100 bytes wait to be appended already");
  });

  test("of one call may be more, where nothing else waits", async (t) => {
    const { time, append } = producerAlone(t, waiting);
    const call = append(half, half, half);
    await time.rest();
    assert.deepEqual(call.result, ok);
  });

  type Alone = ReturnType<typeof producerAlone>;
  const ends: Record<string, (alone: Alone) => Promise<void>> = {
    stored: async ({ time, append }) => {
      append(half, half);
      await time.rest();
    },
    refused: async ({ time, brokers, append }) => {
      brokers.judge = () => 87;
      append(half, half);
      await time.rest();
    },
    "given up while they wait": async ({ time, brokers, append }) => {
      brokers.leaderOf = () => null;
      append(half, half);
      await time.pass(publishTimeoutMs);
    },
    "given up under way": async ({ time, brokers, sendings, append }) => {
      brokers.answersAtOnce = false;
      append(half, half);
      await time.pass(publishTimeoutMs);
      sendings[0]!.lose();
    },
    "given up under way and answered late": async ({ time, brokers, sendings, append }) => {
      brokers.answersAtOnce = false;
      append(half, half);
      await time.pass(publishTimeoutMs);
      sendings[0]!.answer();
      await time.rest();
    },
  };
  for (const [what, end] of Object.entries(ends))
    test(`wait no more once they are ${what}`, async (t) => {
      const alone = producerAlone(t, waiting);
      await end(alone);
      const { time, brokers, append } = alone;
      brokers.identify = () => new Promise(() => {});
      brokers.answersAtOnce = false;
      const calls = [append(half), append(half), append("")];
      await time.rest();
      const refused = calls.filter(({ result }) => result?.ok === false);
      assert.deepEqual(refused, [calls[2]]);
      assert.equal(reasonOf(calls[2]!), "100 bytes wait to be appended already");
    });
});

test("bytes of one call that is given up wait no more, those of others do", async (t) => {
  const { time, brokers, append } = producerAlone(t, { waitingBytesMax: 100 });
  brokers.leaderOf = () => null;
  const half = "x".repeat(18);
  append(half);
  await time.pass(1_000);
  append(half);
  await time.pass(publishTimeoutMs - 1_000);
  const calls = [append(half), append("")];
  await time.rest();
  assert.equal(calls[0]!.result, null);
  assert.equal(reasonOf(calls[1]!), "100 bytes wait to be appended already");
});

test("a producer id that is refused fails waiting calls immediately, and is asked for again later", async (t) => {
  const { time, brokers, append } = producerAlone(t);
  brokers.identify = async () => {
    throw protocolError("CLUSTER_AUTHORIZATION_FAILED");
  };
  const calls = [append("a"), append("enrolled/1:b")];
  await time.rest();
  for (const call of calls) assert.match(reasonOf(call), /IdempotentWrite/);
  brokers.identify = async () => {};
  const later = append("c");
  await time.pass(100);
  assert.deepEqual(later.result, ok);
});

test("a close fails what waits and what is under way, and takes nothing more", async (t) => {
  const { time, producer, brokers, connection, sendings, append, timers } = producerAlone(t);
  brokers.answersAtOnce = false;
  brokers.leaderOf = (topicPartition) => (topicPartition === "enrolled/0" ? 1 : null);
  const calls = [append("a"), append("enrolled/1:b")];
  await time.rest();
  producer.close();
  sendings[0]!.lose();
  calls.push(append("c"));
  await time.pass(1_000);
  for (const call of calls) assert.equal(reasonOf(call), "the log was closed");
  producer.prepare();
  await time.pass(1_000);
  assert.deepEqual([connection.opened, sendings.length, timers(), connection.isClosed], [1, 1, 0, true]);
});
