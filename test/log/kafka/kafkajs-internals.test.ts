/**
 * What this adapter takes for granted of kafkajs's private parts (kafkajs-internals.ts), on kafkajs itself and a broker that
 * answers by a script. A test that fails here after an update names the part that has changed.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { describe, test } from "node:test";
import type { ISocketFactory } from "kafkajs";
import { ByteWriter } from "../../../src/log/kafka/cluster/bytes.ts";
import { onAnswer, requestsInFlight } from "../../../src/log/kafka/cluster/kafkajs-internals.ts";
import { apiKeys, given, heartbeat, heartbeatAnswer, nodeId } from "./kafkajs-harness.ts";
import { requestCases } from "./kafkajs-requests.ts";

const version = "2.2.4";

test(`kafkajs is ${version}, pinned: another version is another set of private parts`, () => {
  const require = createRequire(import.meta.url);
  assert.equal(require("kafkajs/package.json").version, version);
  const { devDependencies } = JSON.parse(readFileSync(require.resolve("#package.json"), "utf8"));
  assert.equal(devDependencies.kafkajs, version);
});

describe("the cluster", () => {
  test("is handed to a partition assigner, with what is called and read of it", async (t) => {
    const { kafkajs } = await given(t);
    const methods = {
      connect: kafkajs.connect.length,
      addMultipleTargetTopics: kafkajs.addMultipleTargetTopics.length,
      refreshMetadata: kafkajs.refreshMetadata.length,
      findBroker: kafkajs.findBroker.length,
      findControllerBroker: kafkajs.findControllerBroker.length,
      findGroupCoordinator: kafkajs.findGroupCoordinator.length,
    };
    assert.deepEqual(methods, {
      connect: 0,
      addMultipleTargetTopics: 1,
      refreshMetadata: 0,
      findBroker: 1,
      findControllerBroker: 0,
      findGroupCoordinator: 1,
    });
    assert.equal(kafkajs.brokerPool.metadata, null);
    assert.equal(kafkajs.brokerPool.versions, null);
  });

  test("makes two connections for a seed, on request, and for each broker of the metadata", async (t) => {
    const { kafkajs, created, seeds } = await given(t);
    await kafkajs.connect();
    assert.deepEqual([created.length, seeds()], [2, 1]);
    await kafkajs.addMultipleTargetTopics(["t"]);
    // The seed is the broker that the metadata names.
    assert.deepEqual([created.length, seeds()], [2, 1]);
    const other = await given(t, { host: "localhost" });
    await other.kafkajs.connect();
    await other.kafkajs.addMultipleTargetTopics(["t"]);
    assert.deepEqual(
      other.created.map(({ broker }) => broker.split(":")[0]),
      ["127.0.0.1", "127.0.0.1", "localhost", "localhost"],
    );
    assert.equal(other.seeds(), 1);
  });

  test("keeps the metadata that is asked for in its place, and asks each broker for its own versions", async (t) => {
    const { kafkajs, knownMetadata, asked, broker } = await given(t, { host: "localhost" });
    await kafkajs.connect();
    assert.equal(knownMetadata(), null);
    await kafkajs.addMultipleTargetTopics(["t", "u"]);
    await kafkajs.refreshMetadata();
    assert.deepEqual(asked, [
      ["t", "u"],
      ["t", "u"],
    ]);
    assert.equal(knownMetadata()?.controllerId, nodeId);
    await kafkajs.findBroker({ nodeId: String(nodeId) });
    assert.equal(broker.requests.filter(({ key }) => key === apiKeys.apiVersions).length, 2);
    assert.equal(broker.requests.filter(({ key }) => key === apiKeys.metadata).length, 0);
  });

  test("finds the controller in the metadata, and the coordinator by FindCoordinator 2", async (t) => {
    const { kafkajs, broker } = await given(t);
    await kafkajs.connect();
    await kafkajs.addMultipleTargetTopics(["t"]);
    assert.equal((await kafkajs.findControllerBroker()).nodeId, nodeId);
    assert.equal((await kafkajs.findGroupCoordinator({ groupId: "g" })).nodeId, nodeId);
    const sent = broker.requests.find(({ key }) => key === apiKeys.coordinator)!;
    assert.deepEqual([sent.version, sent.body.toString("hex")], [2, "00016700"]);
  });
});

describe("a broker", () => {
  for (const { name, key, version: chosen, call, body, answer, result } of requestCases) {
    test(`sends ${name} as version ${chosen}, and its answer is read`, async (t) => {
      const { broker, connected } = await given(t, {
        answer: (request) => (request.key === key ? answer.bytes : null),
      });
      const of = await connected();
      assert.partialDeepStrictEqual(await call(of), result);
      const sent = broker.requests.find((request) => request.key === key)!;
      assert.equal(sent.version, chosen);
      assert.deepEqual(sent.body, body.bytes);
    });
  }

  test("has all requests that this adapter has it send", async (t) => {
    const { connected } = await given(t);
    const { nodeId: id, versions, send, ...requests } = await connected();
    assert.equal(id, nodeId);
    assert.deepEqual(versions[apiKeys.fetch], { minVersion: 0, maxVersion: 99 });
    assert.equal(typeof send, "function");
    assert.deepEqual(Object.keys(requests).sort(), requestCases.map(({ name }) => name).sort());
  });

  test("sends a request of ours as it is: Fetch over the second connection, others over the first", async (t) => {
    const answerBody = Buffer.from("the answer");
    const { broker, connected } = await given(t, {
      answer: ({ key }) => (key === apiKeys.fetch || key === apiKeys.produce ? answerBody : null),
    });
    const of = await connected();
    for (const key of [apiKeys.produce, apiKeys.fetch]) {
      const api = { key, name: "Ours", version: 13, flexible: true };
      const read = (answer: Buffer) => answer.toString();
      assert.equal(await of.send({ api, body: Buffer.from("the body"), read }), "the answer");
    }
    const [first, second] = broker.requests.slice(-2);
    assert.deepEqual([first!.connection, second!.connection], [0, 1]);
    for (const { version: sent, clientId, body } of [first!, second!]) {
      assert.deepEqual([sent, clientId, body.toString()], [13, "client", "the body"]);
    }
  });

  test("passes on what reading an answer throws", async (t) => {
    const { connected } = await given(t, {
      answer: ({ key }) => (key === apiKeys.produce ? Buffer.of(1) : null),
    });
    const of = await connected();
    const api = { key: apiKeys.produce, name: "Ours", version: 7, flexible: false };
    const thrown = new Error("cut short");
    const read = () => {
      throw thrown;
    };
    await assert.rejects(of.send({ api, body: Buffer.of(), read }), (error) => error === thrown);
  });
});

describe("a connection", () => {
  test("shows the requests that wait for an answer, and is called with each answer", async (t) => {
    let answered = 0;
    const { broker, connected, created } = await given(t, {
      onCreated: (connection) => onAnswer(connection, () => (answered += 1)),
    });
    const of = await connected();
    const before = Date.now();
    const arrival = broker.arrival(apiKeys.heartbeat);
    const beat = of.heartbeat(heartbeat);
    await arrival;
    const [waiting, ...others] = created.flatMap(requestsInFlight);
    assert.deepEqual([waiting?.apiName, others], ["Heartbeat", []]);
    assert.ok(waiting!.sentAtMs >= before - 1 && waiting!.sentAtMs <= Date.now());
    assert.equal(created[0]!.broker, broker.address);
    const answeredBefore = answered;
    broker.answer = ({ key }) => (key === apiKeys.heartbeat ? heartbeatAnswer() : null);
    await of.heartbeat(heartbeat);
    assert.equal(answered, answeredBefore + 1);
    assert.deepEqual(
      created.flatMap(requestsInFlight).map(({ apiName }) => apiName),
      ["Heartbeat"],
    );
    broker.answer = () => "close";
    await Promise.allSettled([beat, of.heartbeat(heartbeat)]);
  });

  test("sends what a broker throttles: it waits there, within its time-out, with no timer besides", async (t) => {
    const hourMs = 3_600_000;
    const { connected, created } = await given(t, {
      answer: ({ key }) => (key === apiKeys.heartbeat ? heartbeatAnswer(0, hourMs) : null),
    });
    const of = await connected();
    const queue = created[0]!.requestQueue;
    await of.heartbeat(heartbeat);
    const beat = of.heartbeat(heartbeat);
    await new Promise(setImmediate);
    assert.deepEqual([queue.pending.length, queue.throttleCheckTimeoutId], [0, null]);
    await beat;
  });

  test("counts what its requests wait by the monotonic clock too: the wall clock may be set back", async (t) => {
    const { broker, connected, created } = await given(t, { settings: { requestTimeout: 100 } });
    const of = await connected();
    const arrival = broker.arrival(apiKeys.heartbeat);
    const beat = of.heartbeat(heartbeat);
    await arrival;
    const now = Date.now.bind(Date);
    t.mock.method(Date, "now", () => now() - 3_600_000);
    const [waiting] = created.flatMap(requestsInFlight);
    assert.ok(Date.now() - waiting!.sentAtMs >= 0);
    await assert.rejects(beat, /Heartbeat.* timed out/);
  });

  for (const length of [0, 3, -1, -4, -4096, 0x4854_5450])
    test(`fails alone where a broker sends a frame of ${length} bytes`, async (t) => {
      const { broker, connected } = await given(t);
      const of = await connected();
      const unframed = new ByteWriter().int32(length).int32(0).int32(0).bytes;
      broker.answer = ({ key }) => (key === apiKeys.heartbeat ? { unframed } : null);
      await assert.rejects(of.heartbeat(heartbeat), /Connection error: what came is not Kafka's protocol/);
    });

  test("is let go of by end() of its socket", async (t) => {
    const released = Promise.withResolvers<string>();
    const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
      // Half open: else Node itself calls end() where the broker ends the connection.
      const socket = connect({ host, port, allowHalfOpen: true }, onConnect);
      const end = socket.end.bind(socket);
      socket.end = () => {
        released.resolve("end");
        return end();
      };
      socket.once("close", () => released.resolve("closed without end"));
      return socket;
    };
    const { broker, connected } = await given(t, { settings: { socketFactory } });
    const of = await connected();
    broker.answer = () => "close";
    await assert.rejects(of.heartbeat(heartbeat));
    assert.equal(await released.promise, "end");
  });
});
