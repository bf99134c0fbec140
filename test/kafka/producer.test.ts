/** In what order, together with what, and when again a producer sends. What it can't know is in producer-doubt.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { producerAlone, valuesOf } from "./producer-alone.ts";

const ok = { ok: true };

describe("connecting", () => {
  test("prepared, it has its connection and its id before the first append, once for all", async (t) => {
    const { time, producer, line, sendings, append } = producerAlone(t);
    producer.prepare();
    producer.prepare();
    await time.rest();
    assert.deepEqual([line.opened, sendings.length], [1, 0]);
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
    const { time, brokers, line, sendings, append } = producerAlone(t);
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
    assert.deepEqual([line.opened, asked], [1, 1]);
    assert.deepEqual(valuesOf(sendings), [[["a", "b"]]]);
  });

  test("what fails is tried again after 100 ms, no earlier for a call that comes meanwhile", async (t) => {
    const { time, producer, brokers, line, append } = producerAlone(t);
    brokers.identify = async () => {
      throw new Error("reset");
    };
    producer.prepare();
    await time.rest();
    const call = append("a");
    await time.pass(99);
    brokers.identify = async () => {};
    assert.deepEqual([line.opened, call.result], [1, null]);
    await time.pass(1);
    assert.deepEqual([line.opened, call.result], [2, ok]);
  });

  test("a connection that went leaves id and sequences; the next one is opened when there is something to send", async (t) => {
    const { time, line, sendings, append } = producerAlone(t);
    append("a");
    await time.rest();
    line.drop(await line.wire());
    await time.pass(1_000);
    assert.equal(line.opened, 1);
    const call = append("b");
    await time.rest();
    assert.deepEqual([call.result, line.opened], [ok, 2]);
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
    brokers.leaderOf = (place) => (place === "dlq/1" ? 2 : 1);
    const calls = [append("a", "enrolled/1:b"), append("c", "dlq/1:d")];
    await time.rest();
    assert.deepEqual(
      sendings.map(({ leader, parts }) => [leader, parts.map(({ place, values }) => [place, ...values])]),
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
    brokers.leaderOf = (place) => (place === "enrolled/1" ? 2 : 1);
    const call = append("a", "enrolled/1:b");
    await time.rest();
    sendings[0]!.answer();
    await time.rest();
    assert.equal(call.result, null);
    sendings[1]!.answer();
    await time.rest();
    assert.deepEqual([call.result, timers()], [ok, 0]);
  });

  test("a call without records is done at once, and sends nothing", async (t) => {
    const { time, line, append } = producerAlone(t);
    const call = append();
    await time.rest();
    assert.deepEqual([call.result, line.opened], [ok, 0]);
  });
});

describe("sending again", () => {
  const notLeader = 6;

  test("a batch whose leader is elsewhere is sent again after 100 ms and a look at the metadata", async (t) => {
    const { time, brokers, line, sendings, append } = producerAlone(t);
    brokers.judge = () => (sendings.length === 1 ? notLeader : 0);
    const call = append("a");
    await time.pass(99);
    assert.deepEqual([sendings.length, line.refreshed], [1, 0]);
    await time.pass(1);
    assert.deepEqual([sendings.length, line.refreshed, line.opened, call.result], [2, 1, 1, ok]);
    await time.pass(1_000);
    assert.equal(line.refreshed, 1, "what is stored asks for nothing more");
  });

  test("meanwhile the other partitions are sent, and it is not", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t);
    brokers.judge = ({ place }) => (place === "enrolled/0" && sendings.length === 1 ? notLeader : 0);
    append("a");
    await time.pass(50);
    append("b", "enrolled/1:c");
    await time.pass(49);
    assert.deepEqual(valuesOf(sendings), [[["a"]], [["c"]]]);
    await time.pass(1_000);
    assert.deepEqual(valuesOf(sendings).slice(2), [[["a"]], [["b"]]]);
  });

  test("where the metadata can't be read, the connection is another one", async (t) => {
    const { time, brokers, line, sendings, append } = producerAlone(t);
    brokers.judge = () => (sendings.length === 1 ? notLeader : 0);
    brokers.refresh = async () => {
      throw new Error("reset");
    };
    const call = append("a");
    await time.pass(100);
    assert.deepEqual([call.result, line.refreshed, line.opened], [ok, 1, 2]);
  });

  test("a request that is lost takes its connection with it, whose metadata nobody asks for", async (t) => {
    const { time, brokers, line, sendings, append } = producerAlone(t);
    brokers.answersAtOnce = false;
    const call = append("a");
    await time.rest();
    sendings[0]!.lose();
    await time.pass(100);
    assert.deepEqual([line.opened, line.refreshed], [2, 0]);
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

  test("a partition without a leader waits for one", async (t) => {
    const { time, brokers, line, sendings, append } = producerAlone(t);
    brokers.leaderOf = () => null;
    const call = append("a");
    await time.pass(250);
    assert.deepEqual([sendings.length, line.refreshed], [0, 2]);
    brokers.leaderOf = () => 1;
    await time.pass(50);
    assert.deepEqual(call.result, ok);
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
