import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../../../lab/testkit/virtual-clock.ts";
import { createTokenKeeper, type TokenEvent } from "../../../../src/log/kafka/cluster/token-keeper.ts";

const hourMs = 3_600_000;

/** A source that gives t1, t2, ..., each for an hour, unless a test makes it fail. */
function keeperWith() {
  const clock = virtualClock();
  const source = { asked: 0, failure: null as { refused: boolean; detail: string; fix?: string } | null };
  const keeper = createTokenKeeper(async () => {
    source.asked += 1;
    if (source.failure !== null) return { ok: false, ...source.failure };
    return { ok: true, token: `t${source.asked}`, expiresAtWallMs: clock.wallMs() + hourMs };
  }, clock);
  const events: TokenEvent[] = [];
  const tokenNow = async () => {
    const got = await keeper.get();
    return got.ok ? got.token : got.detail;
  };
  /** Lets what an elapsed timer began come to its end. */
  const elapse = async (ms: number) => {
    clock.advance(ms);
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
  };
  return { clock, source, keeper, events, tokenNow, elapse };
}

test("logins at the same time share one request, and later ones its token", async () => {
  const { source, tokenNow, elapse } = keeperWith();
  assert.deepEqual(await Promise.all([tokenNow(), tokenNow(), tokenNow()]), ["t1", "t1", "t1"]);
  await elapse(hourMs / 2);
  assert.equal(await tokenNow(), "t1");
  assert.equal(source.asked, 1);
});

test("a token is renewed five minutes before its end, by itself, until that is stopped", async () => {
  const { clock, source, keeper, events, tokenNow, elapse } = keeperWith();
  const stop = keeper.renewAhead((event) => events.push(event));
  await tokenNow();
  await elapse(hourMs - 300_001);
  assert.equal(source.asked, 1);
  await elapse(1);
  assert.equal(source.asked, 2);
  assert.equal(await tokenNow(), "t2");
  stop();
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(events, []);
});

test("half a minute before its end, who logs in waits for the next token", async () => {
  const { tokenNow, elapse } = keeperWith();
  await tokenNow();
  await elapse(hourMs - 30_001);
  assert.equal(await tokenNow(), "t1");
  await elapse(1);
  assert.equal(await tokenNow(), "t2");
});

test("while the source fails, the old token serves to its end; tries become rarer; the failure is reported once, and its end", async () => {
  const { source, keeper, events, tokenNow, elapse } = keeperWith();
  keeper.renewAhead((event) => events.push(event));
  await tokenNow();
  source.failure = { refused: false, detail: "HTTP 503" };
  await elapse(hourMs - 300_000);
  for (const waitMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    const { asked } = source;
    await elapse(waitMs - 1);
    assert.equal(source.asked, asked);
    await elapse(1);
    assert.equal(source.asked, asked + 1);
  }
  assert.equal(await tokenNow(), "t1");
  assert.deepEqual(events, [{ kind: "log-token-failed", reason: "HTTP 503", fix: "", leftMs: 300_000 }]);
  await elapse(300_000);
  assert.equal(await tokenNow(), "HTTP 503");
  source.failure = null;
  await elapse(30_000);
  assert.match(await tokenNow(), /^t\d+$/);
  assert.equal(events.at(-1)!.kind, "log-token-renewed");
  assert.equal(events.length, 2);
});

test("what was refused is said with what to type, and is asked for again no sooner than its wait is over", async () => {
  const { source, keeper, events, tokenNow, elapse } = keeperWith();
  keeper.renewAhead((event) => events.push(event));
  source.failure = { refused: true, detail: "invalid_client", fix: "Correct the secret." };
  assert.deepEqual([await tokenNow(), await tokenNow()], ["invalid_client", "invalid_client"]);
  assert.equal(source.asked, 1);
  assert.deepEqual(events, [
    { kind: "log-token-failed", reason: "invalid_client", fix: "Correct the secret.", leftMs: 0 },
  ]);
  source.failure = null;
  await elapse(1_000);
  assert.equal(await tokenNow(), "t2");
});

test("a source that does not answer is given up", async () => {
  const clock = virtualClock();
  let signal: AbortSignal | null = null;
  const keeper = createTokenKeeper((given) => {
    signal = given;
    return new Promise(() => {});
  }, clock);
  const got = keeper.get();
  clock.advance(8_000);
  assert.deepEqual(await got, { ok: false, refused: false, detail: "no answer within 8000 ms" });
  assert.equal(signal!.aborted, true);
});

test("a token that a broker refused is replaced; whether one took it before is known", async () => {
  const { keeper, tokenNow } = keeperWith();
  await tokenNow();
  keeper.accepted("t1");
  assert.deepEqual(await keeper.get(), { ok: true, token: "t1", isProven: true });
  keeper.refused("t1");
  assert.deepEqual(await keeper.get(), { ok: true, token: "t2", isProven: false });
});

/** How often a source is asked whose tokens have so long to live, by this machine's clock. */
async function askedInTenMinutes(lifeMs: number): Promise<number> {
  const clock = virtualClock();
  let asked = 0;
  const keeper = createTokenKeeper(async () => {
    asked += 1;
    return { ok: true, token: `t${asked}`, expiresAtWallMs: clock.wallMs() + lifeMs };
  }, clock);
  const stop = keeper.renewAhead(() => {});
  assert.ok((await keeper.get()).ok);
  for (let step = 0; step < 6_000 && asked < 1_000; step += 1) {
    clock.advance(100);
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
  }
  stop();
  return asked;
}

test("tokens that are over when they come, by a clock that is ahead, are not asked for one after another", async () => {
  assert.ok((await askedInTenMinutes(-hourMs)) <= 21);
  assert.ok((await askedInTenMinutes(Number.NaN)) <= 21);
});
