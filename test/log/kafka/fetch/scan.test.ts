import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fetched } from "../../../../src/log/kafka/fetch/fetch-request.ts";
import { encodeBatch } from "../../../../src/log/kafka/fetch/record-batch.ts";
import { createScan } from "../../../../src/log/kafka/fetch/scan.ts";
import type { Clock, LogRecord, Topic } from "../../../../src/ports.ts";
import { fakeConnection, inTurn, listOffsets } from "../fake-broker.ts";
import { fetched } from "./fetched.ts";

/** Time passes only in delays, without waiting. */
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

async function scanOver(
  send: () => Promise<Fetched[]>,
  end: number | ((isolationLevel: number) => number),
  { from = 0, topic = "registered" }: { readonly from?: number; readonly topic?: Topic } = {},
) {
  const ends = typeof end === "number" ? () => end : end;
  const connection = fakeConnection({ send, listOffsets: listOffsets(() => 0, ends) });
  const records: LogRecord[] = [];
  const scan = createScan(
    connection,
    { nameOf: () => "t", stallMs: 1000, groupId: "g", bootstrap: "b:9092" },
    quickClock(),
  );
  const onRecords = (got: readonly LogRecord[]) => records.push(...got);
  const result = await scan(topic, 0, from, onRecords, new AbortController().signal);
  return { connection, result, offsets: records.map(({ offset }) => offset) };
}

test("a scan ends where compaction removed the last records before the end", async () => {
  const { result, offsets } = await scanOver(inTurn(fetched({ bytes: batch }), fetched()), 5);
  assert.deepEqual(result, { ok: true, nextOffset: 5 });
  assert.deepEqual(offsets, [0, 1]);
});

const later = encodeBatch([record], 0, { id: -1, epoch: -1, sequence: -1 });
later.writeBigInt64BE(2n, 0);

// INV-LEDGER-READ
for (const topic of ["enrolled", "retry", "dlq"] as const)
  test(`${topic}: nothing is compacted there, so an empty answer before the end is not the end`, async () => {
    const send = inTurn(
      fetched({ bytes: batch }),
      fetched(),
      fetched(),
      fetched(),
      fetched({ bytes: later }),
    );
    const { result, offsets } = await scanOver(send, 3, { topic });
    assert.deepEqual(result, { ok: true, nextOffset: 3 });
    assert.deepEqual(offsets, [0, 1, 2]);
    const never = await scanOver(inTurn(fetched({ bytes: batch }), fetched()), 3, { topic });
    assert.deepEqual(never.result, { ok: false, reason: "no records come from t/0 at 2" });
  });

// INV-LEDGER-READ
test("a batch that is never whole is not the end of the ledger", async () => {
  const cut = fetched({ bytes: later.subarray(0, later.length - 1) });
  const { result, offsets } = await scanOver(inTurn(fetched({ bytes: batch }), cut), 3);
  assert.deepEqual(result, { ok: false, reason: "t/0: the batch at offset 2 comes cut short" });
  assert.deepEqual(offsets, [0, 1]);
});

test("an empty answer of a leader that is behind is not the end", async () => {
  const behind = fetched({ stableEnd: 1 });
  const send = inTurn(behind, behind, behind, fetched({ bytes: batch }));
  const { result, offsets } = await scanOver(send, 2);
  assert.deepEqual(result, { ok: true, nextOffset: 2 });
  assert.deepEqual(offsets, [0, 1]);
});

// INV-LEDGER-READ
for (const topic of ["registered", "dlq"] as const)
  test(`${topic}: what stands behind an open transaction is not left out: the scan fails, and says what to type`, async () => {
    const { result, offsets } = await scanOver(
      inTurn(fetched({ bytes: batch, stableEnd: 2 }), fetched({ stableEnd: 2 })),
      (isolationLevel) => (isolationLevel === 1 ? 2 : 5),
      { topic },
    );
    assert.ok(!result.ok);
    assert.deepEqual(offsets, [0, 1]);
    assert.match(result.reason, /^t\/0 ends at 5, and only what stands before 2 can be read/);
    assert.match(
      result.reason,
      /kafka-transactions\.sh --bootstrap-server b:9092 describe-producers --topic t --partition 0\b/,
    );
    assert.match(result.reason, / abort --topic t --partition 0 --start-offset 2$/);
  });

for (const topic of ["enrolled", "retry"] as const)
  test(`${topic}: a scan ends before an open transaction, which may be a producer's`, async () => {
    const { result } = await scanOver(
      inTurn(fetched({ bytes: batch, stableEnd: 2 }), fetched({ stableEnd: 2 })),
      (isolationLevel) => (isolationLevel === 1 ? 2 : 5),
      { topic },
    );
    assert.deepEqual(result, { ok: true, nextOffset: 2 });
  });

test("a scan continues after a throttled answer, a moved leader and a lost connection", async () => {
  const send = inTurn<Fetched[]>(
    [],
    fetched({ errorCode: 6 }),
    new Error("reset"),
    fetched({ bytes: batch }),
  );
  const { connection, result, offsets } = await scanOver(send, 2);
  assert.deepEqual(result, { ok: true, nextOffset: 2 });
  assert.deepEqual(offsets, [0, 1]);
  assert.equal(connection.opened, 2, "only the lost connection was replaced");
  assert.ok(connection.refreshed >= 2, "the leader was asked for again");
});

test("a scan that makes no progress fails with the reason", async () => {
  const { result } = await scanOver(inTurn<Fetched[]>(new Error("no route")), 2);
  assert.ok(!result.ok);
  assert.match(result.reason, /no route/);
});

const beyondEnd = fetched({ errorCode: 1 });

test("a scan from beyond the end fails after two such answers by fresh metadata", async () => {
  const { result, connection } = await scanOver(inTurn(beyondEnd), 2, { from: 7 });
  assert.ok(!result.ok);
  assert.equal(result.logEnd, 2);
  assert.equal(connection.refreshed, 1);
});

test("one such answer of a former leader is not believed", async () => {
  const seventh = Buffer.from(later);
  seventh.writeBigInt64BE(7n, 0);
  const { result, offsets } = await scanOver(inTurn(beyondEnd, fetched({ bytes: seventh })), 2, { from: 7 });
  assert.deepEqual(result, { ok: true, nextOffset: 8 });
  assert.deepEqual(offsets, [7]);
});

test("a leader that has the offset, but does not know yet how far it is replicated, is waited for", async () => {
  let asked = 0;
  // Each look at the bounds asks once for the end.
  const end = () => (++asked > 2 ? 7 : 5);
  const { result } = await scanOver(inTurn(fetched({ stableEnd: 5 })), end, { from: 7 });
  assert.deepEqual(result, { ok: true, nextOffset: 7 });
});

test("a log that holds other records before the position than were read ends a scan", async () => {
  const { result, offsets } = await scanOver(
    inTurn(fetched({ bytes: batch }), fetched({ diverges: true })),
    5,
  );
  assert.ok(!result.ok);
  assert.match(result.reason, /t\/0 holds other records before 2/);
  assert.deepEqual(offsets, [0, 1]);
});

test("a batch that can't be read ends a scan of the ledger, and nothing of it is to be skipped", async () => {
  const damaged = Buffer.from(batch);
  damaged[damaged.length - 1]! ^= 1;
  const { result, offsets } = await scanOver(inTurn(fetched({ bytes: damaged })), 2);
  assert.ok(!result.ok);
  assert.equal(result.problem?.code, "batch-unreadable");
  assert.match(result.problem.message, /t\/0@0 can't be read/);
  assert.match(result.problem.fix, /Delete and skip nothing/);
  assert.doesNotMatch(result.problem.fix, /reset-offsets|delete-records/);
  assert.deepEqual(offsets, []);
});
