/** Logins with signed tokens against a real broker of this file's own, which verifies them. */
import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { skipWithout } from "../../../../lab/testkit/broker.ts";
import { systemClock } from "../../../../src/clock.ts";
import { readSecurity } from "../../../../src/log/kafka/cluster/security.ts";
import { createTokenKeeper, type TokenSource } from "../../../../src/log/kafka/cluster/token-keeper.ts";
import { openKafkaLog } from "../../../../src/log/kafka/kafka-log.ts";
import type { Session } from "../../../../src/ports.ts";
import { startOauthBroker } from "../oauth-broker.ts";
import { recordOf, roundTrip, usualSettings } from "../opened-log.ts";

const oauth = await startOauthBroker();
after(oauth.stop);
const options = { skip: skipWithout(oauth.broker), timeout: 60_000 };

function signing(changes: Parameters<typeof oauth.sign>[0] = {}) {
  const given: string[] = [];
  const source: TokenSource = async () => {
    given.push(await oauth.sign(changes));
    return { ok: true, token: given.at(-1)!, expiresAtWallMs: Date.now() + 3_600_000 };
  };
  return { given, source };
}

async function open(t: TestContext, source: TokenSource, extensions: readonly [string, string][] = []) {
  const tokens = createTokenKeeper(source, systemClock);
  const sasl = { mechanism: "oauthbearer", tokens, extensions: new Map(extensions) } as const;
  const read = await readSecurity({ tls: null, sasl });
  assert.ok(read.ok);
  const opened = await openKafkaLog(
    {
      ...usualSettings,
      brokers: [oauth.address],
      groupId: `group-${t.name.length}`,
      topicPrefix: `t${t.name.length}.`,
      kafkajs: read.kafkajs,
      tokens,
    },
    systemClock,
  );
  if (opened.ok) t.after(opened.log.close);
  return opened;
}

test("a broker that verifies signatures takes the token: one for all connections", options, async (t) => {
  const { given, source } = signing();
  const opened = await open(t, source, [
    ["logicalCluster", "lkc-1"],
    ["identityPoolId", "pool-1"],
  ]);
  assert.ok(opened.ok, JSON.stringify(opened));
  await roundTrip(opened.log, "a");
  assert.equal(given.length, 1);
});

test(
  "a living connection logs in again before its session ends, and nothing on it is lost or doubled",
  options,
  async (t) => {
    const { source } = signing();
    const opened = await open(t, source);
    assert.ok(opened.ok, JSON.stringify(opened));
    const { log } = opened;
    const began = Promise.withResolvers<Session>();
    const membership = await log.join(began.resolve, began.reject);
    t.after(() => membership.leave());
    const session = await began.promise;
    session.seek("enrolled", 0, 0, -1);
    let isOver = false;
    void oauth.reached(4).then(() => {
      isOver = true;
    });
    const written: string[] = [];
    while (!isOver) {
      written.push(String(written.length));
      assert.deepEqual(await log.append([recordOf(written.at(-1)!)]), { ok: true });
      const commit = { topic: "enrolled", partition: 0, offset: written.length, metadata: "" } as const;
      assert.equal(await session.commit([commit]), "committed");
    }
    const read: string[] = [];
    while (read.length < written.length) {
      const result = await session.read("enrolled", 0);
      assert.equal(result.kind, "records");
      if (result.kind === "records") read.push(...result.records.map((r) => String(r.value)));
    }
    assert.deepEqual(read, written);
    assert.equal(session.ended.aborted, false);
  },
);

for (const [what, source] of [
  [
    "for another audience",
    async () => ({
      ok: true,
      token: await oauth.sign({ audience: "other" }),
      expiresAtWallMs: Date.now() + 3_600_000,
    }),
  ],
  [
    "signed by a stranger",
    async () => ({ ok: true, token: await oauth.forge(), expiresAtWallMs: Date.now() + 3_600_000 }),
  ],
] as const satisfies readonly (readonly [string, TokenSource])[]) {
  test(`a token ${what} is refused in one line, not tried again, and not shown`, options, async (t) => {
    let shown = "";
    const opened = await open(t, async (signal) => {
      const got = await (source as TokenSource)(signal);
      if (got.ok) shown = got.token;
      return got;
    });
    assert.ok(!opened.ok);
    const { code, message, fix } = opened.problem;
    assert.deepEqual([code, opened.retryable], ["kafka-login", false], message);
    assert.match(message, /^Kafka at 127\.0\.0\.1:\d+ refuses the token: .*invalid_token/);
    assert.match(fix, /KAFKA_OAUTH_SCOPE/);
    assert.ok(shown !== "" && !(message + fix).includes(shown.slice(0, 40)));
  });
}

test("while there is no token, opening the log is tried again", options, async (t) => {
  const opened = await open(t, async () => ({ ok: false, refused: false, detail: "HTTP 503" }));
  assert.ok(!opened.ok);
  assert.deepEqual([opened.problem.code, opened.retryable], ["kafka-token", true]);
  assert.match(opened.problem.message, /^No token for the login to Kafka at .*: HTTP 503\.$/);
});

test(
  "where the token is refused, opening the log is not tried again, and what to type is said",
  options,
  async (t) => {
    const fix = "Correct KAFKA_OAUTH_CLIENT_ID.";
    const opened = await open(t, async () => ({ ok: false, refused: true, detail: "invalid_client", fix }));
    assert.ok(!opened.ok);
    assert.deepEqual(
      [opened.problem.code, opened.problem.fix, opened.retryable],
      ["kafka-token", fix, false],
    );
  },
);
