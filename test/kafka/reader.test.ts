import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fetched } from "../../src/kafka/fetch-request.ts";
import { createScan } from "../../src/kafka/reader.ts";
import { encodeBatch } from "../../src/kafka/record-batch.ts";
import type { Clock, LogRecord } from "../../src/ports.ts";
import { fakeLine, inTurn } from "./fake-broker.ts";

/** Time passes only in delays, and at once. */
function quickClock(): Clock {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    wallMs: () => nowMs,
    after(delayMs, callback) {
      const handle = setImmediate(() => {
        nowMs += delayMs;
        callback();
      });
      return () => clearImmediate(handle);
    },
  };
}

const record = { key: null, value: Buffer.from("v"), headers: [] };
const batch = encodeBatch([record, record], 0, { id: -1, epoch: -1, sequence: -1 });

function fetched(changes: Partial<Fetched> = {}): Fetched[] {
  return [
    {
      topic: "t",
      partition: 0,
      errorCode: 0,
      stableEnd: 5,
      aborted: [],
      diverges: false,
      bytes: Buffer.of(),
      ...changes,
    },
  ];
}

async function scanOver(send: () => Promise<Fetched[]>, end: number) {
  const line = fakeLine({
    send,
    listOffsets: async ({ topics }) => ({
      responses: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, timestamp }) => ({
          partition,
          offset: timestamp === -1 ? String(end) : "0",
        })),
      })),
    }),
  });
  const records: LogRecord[] = [];
  const scan = createScan(line, { nameOf: () => "t", stallMs: 1000 }, quickClock());
  const result = await scan("registered", 0, 0, (got) => records.push(...got), new AbortController().signal);
  return { line, result, offsets: records.map(({ offset }) => offset) };
}

test("a scan ends where compaction removed the last records before the end", async () => {
  const { result, offsets } = await scanOver(inTurn(fetched({ bytes: batch }), fetched()), 5);
  assert.deepEqual(result, { ok: true, nextOffset: 5 });
  assert.deepEqual(offsets, [0, 1]);
});

test("an empty answer of a leader that is behind is not the end", async () => {
  const behind = fetched({ stableEnd: 1 });
  const send = inTurn(behind, behind, behind, fetched({ bytes: batch }));
  const { result, offsets } = await scanOver(send, 2);
  assert.deepEqual(result, { ok: true, nextOffset: 2 });
  assert.deepEqual(offsets, [0, 1]);
});

test("a scan goes on after a throttled answer, a moved leader and a lost connection", async () => {
  const send = inTurn<Fetched[]>(
    [],
    fetched({ errorCode: 6 }),
    new Error("reset"),
    fetched({ bytes: batch }),
  );
  const { line, result, offsets } = await scanOver(send, 2);
  assert.deepEqual(result, { ok: true, nextOffset: 2 });
  assert.deepEqual(offsets, [0, 1]);
  assert.equal(line.opened, 2, "only the lost connection was replaced");
  assert.ok(line.refreshed >= 2, "the leader was asked for anew");
});

test("a scan that makes no progress fails with the reason", async () => {
  const { result } = await scanOver(inTurn<Fetched[]>(new Error("no route")), 2);
  assert.ok(!result.ok);
  assert.match(result.reason, /no route/);
});
