/** A process that builds the index is killed again and again; in the end the index is as if it had been built in one go. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { contoso, fabrikam } from "../../lab/testkit/enrollments.ts";
import { systemClock } from "../../src/clock.ts";
import { openEmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import type { NewRecord } from "../../src/ports.ts";
import { temporaryDirectory } from "../cli/run-cli.ts";
import { event, openOn, refused, registered, startMs } from "./topics.ts";

/** Enrollments of which half are registered, a quarter refused. */
function records(count: number): NewRecord[] {
  return Array.from({ length: count }, (_, n) => {
    const tenant = n % 2 === 0 ? contoso : fabrikam;
    const partition = n % 2;
    const of = { tenant, machine: `M-${n}` };
    const record = event(of, partition);
    const stored = { ...record, offset: Math.floor(n / 2), timestampMs: startMs + n, leaderEpoch: -1 };
    if (n % 4 < 2)
      return [record, registered({ ...of, offset: stored.offset, registeredAt: startMs + n }, partition)];
    return n % 4 === 2 ? [record, refused(stored)] : [record];
  }).flat();
}

/** Kills it once this number of records is left. Null: it read all of them. */
async function killedAt(dataDir: string, left: number, notes: string[]): Promise<void> {
  const program = join(import.meta.dirname, "index-process.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("note ")) notes.push(line);
    if (line.startsWith("left ") && Number(line.slice(5)) <= left) child.kill("SIGKILL");
  }
  await closed;
  assert.equal(child.signalCode, "SIGKILL");
}

test("killed at any point of the first load and after it, the index continues, and ends as one that was built without a break", {
  timeout: 300_000,
}, async (t) => {
  const dataDir = temporaryDirectory(t);
  const opening = await openEmbeddedLog({ dataDir, partitionCount: 2 }, systemClock);
  assert.ok(opening.ok);
  const { log } = opening;
  t.after(() => log.close());
  const all = records(4000);
  assert.deepEqual(await log.append(all), { ok: true });
  const notes: string[] = [];
  // 7,000 records: 2,000 registered ones first, 1,000 dead letters, then 4,000 events.
  for (const left of [6400, 4600, 1500, 0]) await killedAt(dataDir, left, notes);
  assert.deepEqual(await log.append(records(4040).slice(all.length)), { ok: true });
  assert.deepEqual(notes, []);

  const resumed = openOn(log, join(dataDir, "index.db"));
  await resumed.read();
  const whole = openOn(log, join(dataDir, "whole.db"));
  await whole.read();
  assert.deepEqual(resumed.notes, []);
  assert.deepEqual(resumed.index.counts(), whole.index.counts());
  assert.equal(whole.index.counts().registered, 2020);
  let [after, rows]: [string | null, number] = [null, 0];
  do {
    const page = whole.index.search({ limit: 1000, after });
    for (const row of page.rows) assert.deepEqual(resumed.index.find(row.id), row);
    rows += page.rows.length;
    after = page.next;
  } while (after !== null);
  assert.equal(rows, 4040);
  resumed.index.close();
  whole.index.close();
});
