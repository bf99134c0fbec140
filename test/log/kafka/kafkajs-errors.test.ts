/** What kafkajs throws, as far as this adapter looks into it (kafkajs-internals.ts), on kafkajs itself. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  errorChain,
  isConnectionClosed,
  isLoginError,
  isMechanismMissing,
  isRefusedLogin,
  isUnsupportedRequest,
  withoutLoginPrefix,
} from "../../../src/log/kafka/cluster/kafkajs-internals.ts";
import { apiKeys, given, heartbeat, heartbeatAnswer } from "./kafkajs-harness.ts";
import { type Answer, apiVersions } from "./scripted-broker.ts";

/** Those that this adapter treats one by one, as kafkajs names them. */
const errorTypes = {
  3: "UNKNOWN_TOPIC_OR_PARTITION",
  5: "LEADER_NOT_AVAILABLE",
  6: "NOT_LEADER_FOR_PARTITION",
  14: "GROUP_LOAD_IN_PROGRESS",
  15: "GROUP_COORDINATOR_NOT_AVAILABLE",
  16: "NOT_COORDINATOR_FOR_GROUP",
  22: "ILLEGAL_GENERATION",
  23: "INCONSISTENT_GROUP_PROTOCOL",
  24: "INVALID_GROUP_ID",
  25: "UNKNOWN_MEMBER_ID",
  26: "INVALID_SESSION_TIMEOUT",
  27: "REBALANCE_IN_PROGRESS",
  29: "TOPIC_AUTHORIZATION_FAILED",
  30: "GROUP_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  33: "UNSUPPORTED_SASL_MECHANISM",
  34: "ILLEGAL_SASL_STATE",
  35: "UNSUPPORTED_VERSION",
  36: "TOPIC_ALREADY_EXISTS",
  38: "INVALID_REPLICATION_FACTOR",
  41: "NOT_CONTROLLER",
  58: "SASL_AUTHENTICATION_FAILED",
  81: "GROUP_MAX_SIZE_REACHED",
  82: "FENCED_INSTANCE_ID",
};

describe("what kafkajs throws", () => {
  const caught = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => assert.fail("no error"),
      (error) => error,
    );

  test("names the broker and Node's code where a connection fails, as its log does", async (t) => {
    const logged: string[][] = [];
    const { kafkajs, broker } = await given(t, { onConnectionFailed: (...line) => logged.push(line) });
    await broker.stop();
    const chain = errorChain(await caught(kafkajs.connect()));
    assert.equal(chain.find((link) => link.broker)?.broker, broker.address);
    assert.ok(chain.some(({ code }) => code === "ECONNREFUSED"));
    assert.ok(chain.length > 1, "retries wrap it");
    assert.equal(logged[0]![0], broker.address);
    assert.match(logged[0]![1]!, /^Connection error: connect ECONNREFUSED/);
  });

  test("is of a class of its own where the broker closes the connection instead of an answer", async (t) => {
    const { broker, connected } = await given(t);
    const of = await connected();
    broker.answer = () => "close";
    const chain = errorChain(await caught(of.heartbeat(heartbeat)));
    assert.ok(chain.some(isConnectionClosed));
    assert.equal(chain.find((link) => link.broker)?.broker, broker.address);
  });

  for (const [code, type] of Object.entries(errorTypes)) {
    test(`has ${type} as type for the error code ${code}`, async (t) => {
      const answer = heartbeatAnswer(Number(code));
      const { connected } = await given(t, {
        answer: ({ key }) => (key === apiKeys.heartbeat ? answer : null),
      });
      const of = await connected();
      assert.equal(errorChain(await caught(of.heartbeat(heartbeat)))[0]?.type, type);
    });
  }

  test("is of a class of its own where the broker lacks the request", async (t) => {
    const { connected } = await given(t, {
      answer: ({ key }) => (key === apiKeys.apiVersions ? apiVersions([apiKeys.heartbeat]) : null),
    });
    const of = await connected();
    assert.ok(errorChain(await caught(of.heartbeat(heartbeat))).some(isUnsupportedRequest));
  });

  const sasl = { mechanism: "plain", username: "u", password: "p" } as const;
  const login = async (t: TestContext, handshake: Buffer, authenticate: Answer) => {
    const { kafkajs } = await given(t, {
      settings: { sasl, retry: { retries: 0 } },
      answer: ({ key }) =>
        key === apiKeys.saslHandshake ? handshake : key === apiKeys.saslAuthenticate ? authenticate : null,
    });
    return errorChain(await caught(kafkajs.connect()));
  };
  /** No error, one mechanism. */
  const offers = (mechanism: string) =>
    Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 1, 0, mechanism.length]), Buffer.from(mechanism)]);

  test("says that the broker does not offer the mechanism of a login", async (t) => {
    const chain = await login(t, offers("SCRAM-SHA-256"), null);
    assert.ok(chain.some(isLoginError) && chain.some(({ message }) => isMechanismMissing(message ?? "")));
  });

  test("says in the broker's words why a login is refused", async (t) => {
    // SASL_AUTHENTICATION_FAILED, the reason, no bytes, no lifetime.
    const refusal = Buffer.concat([Buffer.from([0, 58, 0, 5]), Buffer.from("wrong"), Buffer.alloc(12)]);
    const chain = await login(t, offers("PLAIN"), refusal);
    const refused = chain.find(isRefusedLogin);
    assert.match(refused?.message ?? "", /^SASL PLAIN authentication failed: /);
    assert.equal(withoutLoginPrefix(refused?.message ?? ""), "wrong");
  });

  test("calls a connection that breaks during a login a failed login, but for its text", async (t) => {
    const chain = await login(t, offers("PLAIN"), "close");
    assert.ok(chain.some(isLoginError) && !chain.some(isRefusedLogin), JSON.stringify(chain));
  });
});
