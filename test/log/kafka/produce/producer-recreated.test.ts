/** A topic that was deleted and made again since the log was opened: nothing is appended to it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { producerAlone, reasonOf, valuesOf } from "../producer-alone.ts";

const ok = { ok: true };

describe("a topic that was deleted and made again", () => {
  const topicIds = new Map([
    ["enrolled", "old"],
    ["dlq", "same"],
  ]);
  const remade = (topic: string) => (topic === "enrolled" ? "new" : "same");

  test("is appended to no more; other topics are", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t, { topicIds });
    brokers.topicId = remade;
    const calls = [append("a"), append("enrolled/1:b"), append("dlq/0:c")];
    await time.rest();
    for (const call of calls.slice(0, 2))
      assert.match(reasonOf(call), /^enrolled was deleted and made again/);
    assert.deepEqual(calls[2]!.result, ok);
    assert.deepEqual(valuesOf(sendings), [[["c"]]]);
  });

  test("fails what was sent already and waits to be sent again", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t, { topicIds });
    brokers.topicId = (topic) => topicIds.get(topic)!;
    brokers.judge = () => 6;
    const call = append("a");
    await time.pass(50);
    brokers.topicId = remade;
    await time.pass(50);
    assert.match(reasonOf(call), /^enrolled was deleted and made again/);
    assert.equal(sendings.length, 1);
  });

  test("is looked for in the metadata once that is older than 5 s, where appends name no ids", async (t) => {
    const { time, producer, brokers, connection, sendings, append } = producerAlone(t, { topicIds });
    let made = (topic: string) => topicIds.get(topic)!;
    let seen = made;
    brokers.topicId = (topic) => seen(topic);
    brokers.refresh = async () => {
      seen = made;
    };
    append("a");
    await time.pass(5_000);
    append("b");
    await time.rest();
    assert.equal(connection.refreshed, 0);
    producer.prepare();
    await time.pass(1);
    const unharmed = append("c");
    await time.rest();
    assert.deepEqual([connection.refreshed, unharmed.result], [1, ok]);

    made = remade;
    await time.pass(5_001);
    const calls = [append("dlq/0:d"), append("e")];
    await time.rest();
    assert.deepEqual(calls[0]!.result, ok);
    assert.match(reasonOf(calls[1]!), /^enrolled was deleted and made again/);
    assert.deepEqual(valuesOf(sendings), [[["a"]], [["b"]], [["c"]], [["d"]]]);
    assert.equal(connection.opened, 1);
  });

  test("leaves what may be stored of other topics, which is sent again under its id and sequence", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t, { topicIds });
    brokers.topicId = (topic) => topicIds.get(topic)!;
    brokers.answersAtOnce = false;
    const calls = [append("a"), append("dlq/0:b")];
    await time.rest();
    brokers.topicId = remade;
    sendings[0]!.lose();
    brokers.answersAtOnce = true;
    await time.pass(100);
    assert.match(reasonOf(calls[0]!), /^enrolled was deleted and made again/);
    assert.deepEqual(calls[1]!.result, ok);
    assert.deepEqual(valuesOf(sendings).at(-1), [["b"]]);
    const [first, again] = [sendings[0]!.parts[1]!, sendings.at(-1)!.parts[0]!];
    assert.deepEqual([again.producerId, again.sequence], [first.producerId, first.sequence]);
    append("dlq/0:c");
    await time.rest();
    assert.deepEqual(valuesOf(sendings).at(-1), [["c"]]);
  });

  test("fails a call that is for other topics too; their batch is sent without its records", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t, { topicIds });
    brokers.topicId = (topic) => topicIds.get(topic)!;
    brokers.judge = () => 6;
    const mixed = append("a", "dlq/0:b");
    const other = append("dlq/0:c");
    await time.pass(50);
    brokers.topicId = remade;
    brokers.judge = () => 0;
    await time.pass(100);
    assert.match(reasonOf(mixed), /^enrolled was deleted and made again/);
    assert.deepEqual(other.result, ok);
    assert.deepEqual(valuesOf(sendings), [[["a"], ["b", "c"]], [["c"]]]);
    const [, first] = sendings[0]!.parts;
    const [again] = sendings[1]!.parts;
    assert.deepEqual([again!.producerId, again!.sequence], [first!.producerId, first!.sequence]);
  });

  test("fails, with a reason of its own, what was sent in one batch with records of a failed call", async (t) => {
    const { time, brokers, sendings, append } = producerAlone(t, { topicIds });
    brokers.topicId = (topic) => topicIds.get(topic)!;
    brokers.answersAtOnce = false;
    append("a", "dlq/0:b");
    const other = append("dlq/0:c");
    await time.rest();
    brokers.topicId = remade;
    sendings[0]!.lose();
    await time.pass(100);
    assert.match(
      reasonOf(other),
      /^dlq\/0: its batch held records of an append that failed: enrolled was deleted/,
    );
    const later = append("dlq/0:d");
    await time.rest();
    sendings.at(-1)!.answer();
    await time.rest();
    assert.deepEqual(later.result, ok);
    const [part] = sendings.at(-1)!.parts;
    assert.deepEqual([part!.producerId, part!.sequence, part!.values], [2, 0, ["d"]]);
  });

  test("is looked for as early where a new producer id was asked for meanwhile", async (t) => {
    const { time, brokers, connection, append } = producerAlone(t, { topicIds });
    brokers.topicId = (topic) => topicIds.get(topic)!;
    append("a");
    await time.pass(4_000);
    brokers.judge = () => 45;
    append("dlq/0:b");
    await time.rest();
    brokers.judge = () => 0;
    append("dlq/0:c");
    await time.pass(1_001);
    assert.equal(connection.refreshed, 0);
    brokers.refresh = async () => {
      brokers.topicId = remade;
    };
    const call = append("d");
    await time.rest();
    assert.match(reasonOf(call), /^enrolled was deleted and made again/);
  });

  test("is reported by the broker where appends name ids: nothing is asked for", async (t) => {
    const { time, brokers, connection, append } = producerAlone(t);
    brokers.maxVersion = 13;
    append("a");
    await time.pass(10_000);
    const call = append("b");
    await time.rest();
    assert.deepEqual([call.result, connection.refreshed], [ok, 0]);
  });
});
