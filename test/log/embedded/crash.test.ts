/** kill -9: what was acknowledged stays, what was not is there whole or not at all, the lock is free. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { LogRecord, Session } from "../../../src/ports.ts";
import { at, scan } from "../../contracts/event-log/harness.ts";
import { callOf, callRecords, recordsPerCall } from "./calls.ts";
import { type OpenLog, workspaceOf } from "./harness.ts";
import { nextLine, startChild } from "./processes.ts";

const rounds = 10;
const mostLines = 250;

async function storedCalls(log: OpenLog): Promise<Map<number, LogRecord[]>> {
  const records: LogRecord[] = [];
  for (let partition = 0; partition < 3; partition += 1) {
    const found = (await scan(log, at("registered", partition))).records;
    assert.deepEqual(
      found.map((record) => record.offset),
      found.map((_, index) => index),
      "offsets without a hole",
    );
    records.push(...found);
  }
  return Map.groupBy(records, (record) => callOf(record.value));
}

test("kill -9 while appending, many times over", { timeout: 60_000 }, (t) => killAgainAndAgain(t, "work"));
test("kill -9 while appends wait for their flush, many times over", { timeout: 60_000 }, (t) =>
  killAgainAndAgain(t, "work-behind"),
);

async function killAgainAndAgain(t: TestContext, role: string): Promise<void> {
  const workspace = workspaceOf(t);
  const acknowledged = new Set<number>();
  const commits: number[] = [];
  let firstCall = 0;
  for (let round = 0; round < rounds; round += 1) {
    const child = startChild(t, [role, workspace.dataDir, String(firstCall)]);
    const hear = (line: string) => {
      const [what, number] = line.split(" ");
      assert.ok(what === "ack" || what === "commit", line);
      if (what === "ack") acknowledged.add(Number(number));
      else commits.push(Number(number));
    };
    for (let lines = 1 + Math.floor(Math.random() * mostLines); lines > 0; lines -= 1)
      hear(await nextLine(child));
    await child.kill();
    for (let line = await child.lines.next(); !line.done; line = await child.lines.next()) hear(line.value);

    const log = await workspace.open();
    const calls = await storedCalls(log);
    for (const call of acknowledged) assert.ok(calls.has(call), `call ${call} was acknowledged and is lost`);
    for (const [call, records] of calls) {
      assert.equal(records.length, recordsPerCall, `call ${call} is there in part`);
      const stored = records.map((record) => Buffer.from(record.value!).toString("utf8")).sort();
      assert.deepEqual(
        stored,
        callRecords(call)
          .map((r) => Buffer.from(r.value!).toString("utf8"))
          .sort(),
      );
    }
    const unheard = [...calls.keys()].filter((call) => !acknowledged.has(call));
    assert.ok(unheard.length <= 4, "no more than what was in flight");
    for (const call of unheard) acknowledged.add(call);

    const worker = Promise.withResolvers<Session>();
    const membership = await log.join(worker.resolve, worker.reject);
    const session = await worker.promise;
    const positions = await session.positions([0]);
    assert.ok(positions.ok);
    const stored = positions.positions.find((p) => p.topic === "enrolled")!.committed;
    assert.equal(stored?.metadata, stored === null ? undefined : `after ${stored.offset}`);
    const newest = commits.at(-1);
    if (newest !== undefined) assert.ok(stored !== null && !commits.slice(0, -1).includes(stored.offset));
    await membership.leave();
    await log.close();
    firstCall = Math.max(-1, ...calls.keys()) + 1;
  }
  assert.ok(acknowledged.size > rounds, "something was appended at all");
}
