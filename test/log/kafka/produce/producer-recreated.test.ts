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
    await time.pass(100);
    for (const call of calls) assert.match(reasonOf(call), /^enrolled was deleted and made again/);
    const other = append("dlq/0:f");
    await time.rest();
    assert.deepEqual(other.result, ok);
    assert.deepEqual(valuesOf(sendings), [[["a"]], [["b"]], [["c"]], [["f"]]]);
  });

  test("is told by the broker where appends name ids: nothing is asked for", async (t) => {
    const { time, brokers, connection, append } = producerAlone(t);
    brokers.maxVersion = 13;
    append("a");
    await time.pass(10_000);
    const call = append("b");
    await time.rest();
    assert.deepEqual([call.result, connection.refreshed], [ok, 0]);
  });
});
