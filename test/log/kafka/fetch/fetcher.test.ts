import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualTime } from "../../../../lab/testkit/virtual-time.ts";
import { systemClock } from "../../../../src/clock.ts";
import { createHealth } from "../../../../src/log/kafka/cluster/health.ts";
import { createFetchBuffer } from "../../../../src/log/kafka/fetch/fetch-buffer.ts";
import type { Fetched } from "../../../../src/log/kafka/fetch/fetch-request.ts";
import { createFetcher, type Fetcher } from "../../../../src/log/kafka/fetch/fetcher.ts";
import { encodeBatch } from "../../../../src/log/kafka/fetch/record-batch.ts";
import type { Clock } from "../../../../src/ports.ts";
import type { Problem } from "../../../../src/problem.ts";
import { fakeConnection, inTurn, listOffsets } from "../fake-broker.ts";
import { fetched } from "./fetched.ts";

const batch = encodeBatch([{ key: null, value: Buffer.of(1), headers: [] }], 0, {
  id: -1,
  epoch: -1,
  sequence: -1,
});

const outOfRange = fetched({ errorCode: 1 });

interface Given {
  readonly answers: () => Promise<Fetched[]>;
  readonly end?: number;
  readonly topicIds?: () => string | null;
  readonly seek: readonly [offset: number, leaderEpoch: number];
  readonly onFatal?: (reason: string, problem?: Problem) => void;
  readonly clock?: Clock;
}

function readOver(
  t: { after(run: () => void): void },
  { answers, end = 5, topicIds, seek, onFatal = assert.fail, clock = systemClock }: Given,
) {
  const connection = fakeConnection(
    {
      send: answers,
      listOffsets: listOffsets(
        () => 1,
        () => end,
      ),
    },
    topicIds,
  );
  const topicId = topicIds?.() ?? null;
  const buffer = createFetchBuffer([{ topic: "enrolled", name: "t", topicId, partition: 0 }], () =>
    fetcher.pump(),
  );
  const health = createHealth(systemClock, () => {});
  const connections = { long: connection, short: connection };
  const fetcher: Fetcher = createFetcher({
    buffer,
    connections,
    settings: { maxPartitionFetchBytes: 1000, health, groupId: "g", bootstrap: "b:9092" },
    clock,
    onFatal,
  });
  t.after(() => {
    fetcher.stop();
    buffer.end();
    health.close();
  });
  buffer.seek("enrolled", 0, ...seek);
  return { connection, result: buffer.read("enrolled", 0) };
}

test("a log that diverges from what was read is a gap immediately", async (t) => {
  const { result } = readOver(t, { answers: inTurn(fetched({ diverges: true })), seek: [3, 2] });
  const gap = { kind: "gap", why: "truncated", expected: 3, logStart: 1, logEnd: 5 };
  assert.deepEqual(await result, gap);
});

test("a position beyond the end is a gap after two answers, the second by fresh metadata", async (t) => {
  const { result, connection } = readOver(t, { answers: inTurn(outOfRange), seek: [9, -1] });
  const gap = { kind: "gap", why: "truncated", expected: 9, logStart: 1, logEnd: 5 };
  assert.deepEqual(await result, gap);
  assert.ok(connection.refreshed >= 2);
});

test("a leader of the past that does not have the position is asked again", async (t) => {
  const later = Buffer.from(batch);
  later.writeBigInt64BE(9n, 0);
  const answers = inTurn(outOfRange, fetched({ bytes: later }));
  const read = await readOver(t, { answers, seek: [9, -1] }).result;
  assert.ok(read.kind === "records" && read.records[0]!.offset === 9);
});

test("a position inside the log is not a gap, even if the broker repeatedly returns no record there", async (t) => {
  const later = Buffer.from(batch);
  later.writeBigInt64BE(4n, 0);
  const answers = inTurn(outOfRange, outOfRange, outOfRange, fetched({ bytes: later }));
  const read = await readOver(t, { answers, seek: [4, -1] }).result;
  assert.equal(read.kind, "records");
});

test("a position whose epoch the log has never seen is a gap", async (t) => {
  const { result } = readOver(t, { answers: inTurn(outOfRange), seek: [4, 8] });
  const gap = { kind: "gap", why: "truncated", expected: 4, logStart: 1, logEnd: 5 };
  assert.deepEqual(await result, gap);
});

test("a position before the start is a gap immediately", async (t) => {
  const { result } = readOver(t, { answers: inTurn(outOfRange), seek: [0, -1] });
  const gap = { kind: "gap", why: "deleted", expected: 0, logStart: 1, logEnd: 5 };
  assert.deepEqual(await result, gap);
});

for (const [errorCode, name] of [
  [100, "UNKNOWN_TOPIC_ID"],
  [3, "UNKNOWN_TOPIC_OR_PARTITION"],
] as const) {
  test(`${name}, and then a topic of another id: made again`, async (t) => {
    let id = "old";
    const answers = inTurn(fetched({ errorCode }));
    const { result } = readOver(t, { answers, topicIds: () => id, seek: [3, -1] });
    id = "new";
    const gap = { kind: "gap", why: "recreated", expected: 3, logStart: 1, logEnd: 5 };
    assert.deepEqual(await result, gap);
  });
}

const damaged = Buffer.from(batch);
damaged.writeBigInt64BE(3n, 0);
damaged[damaged.length - 1]! ^= 1;

test("a batch that can't be read, twice, ends it with where, what to do and what that loses", async (t) => {
  const fatal = Promise.withResolvers<Problem | undefined>();
  const onFatal = (_: string, problem?: Problem) => fatal.resolve(problem);
  readOver(t, { answers: inTurn(fetched({ bytes: damaged })), seek: [3, -1], onFatal });
  const problem = await fatal.promise;
  assert.equal(problem?.code, "batch-unreadable");
  assert.match(problem.message, /t\/0@3 can't be read: its checksum is wrong/);
  assert.match(problem.fix, /--bootstrap-server b:9092 --group g --topic t:0 --reset-offsets --to-offset 4/);
  assert.match(problem.fix, /never registered: emit them again/);
});

test("a batch that was damaged on its way once is read the next time", async (t) => {
  const whole = Buffer.from(batch);
  whole.writeBigInt64BE(3n, 0);
  const answers = inTurn(fetched({ bytes: damaged }), fetched({ bytes: whole }));
  assert.equal((await readOver(t, { answers, seek: [3, -1] }).result).kind, "records");
});

test("a fault inside the broker is waited out: its disk or its tiered storage may answer again", async (t) => {
  const whole = Buffer.from(batch);
  whole.writeBigInt64BE(3n, 0);
  const answers = inTurn(fetched({ errorCode: -1 }), fetched({ errorCode: -1 }), fetched({ bytes: whole }));
  const ended = Promise.withResolvers<string>();
  const { result } = readOver(t, { answers, seek: [3, -1], onFatal: ended.resolve });
  void result.then(({ kind }) => ended.resolve(kind));
  assert.equal(await ended.promise, "records");
});

test("a batch that comes cut short is asked for again after a pause, not at once and for ever", async (t) => {
  const time = virtualTime();
  let sent = 0;
  const answers = async () => {
    sent += 1;
    return fetched({ bytes: batch.subarray(0, batch.length - 1) });
  };
  readOver(t, { answers, seek: [0, -1], clock: time });
  for (let turns = 0; turns < 50; turns += 1) await time.rest();
  assert.equal(sent, 1);
  for (let steps = 0; steps < 20; steps += 1) {
    await time.pass(50);
    for (let turns = 0; turns < 10; turns += 1) await time.rest();
  }
  assert.ok(sent > 1 && sent <= 6, `sent ${sent} times`);
});
