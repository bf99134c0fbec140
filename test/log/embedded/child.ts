/**
 * A process beside the test's own. `node child.ts <role> <dataDir> [argument]`; it speaks in lines on stdout.
 *
 * hold: joins as a worker, says "held" (or "refused <reason>"), and stays until it is killed.
 * work: joins, then appends calls of records and commits without end, four at a time; says "ack <call>" and
 *   "commit <offset>" once each was acknowledged. The argument is the first call's number.
 * append: appends one record to dlq/0 for each line of stdin, says "ack".
 * work-behind, append-behind: the same, on a log that flushes behind.
 * open: says how opening went, as JSON. The argument, if any, is the user id to become first.
 */
import assert from "node:assert/strict";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { systemClock } from "../../../src/clock.ts";
import { openEmbeddedLog } from "../../../src/log/embedded/embedded-log.ts";
import type { Session } from "../../../src/ports.ts";
import { callRecords, recordOfText } from "./calls.ts";

const [called, dataDir, argument] = process.argv.slice(2);
const [role, behind] = called!.split("-");
const say = (line: string) => writeSync(1, `${line}\n`);

if (role === "open" && argument !== undefined) {
  // Not before all modules are loaded: that user may be unable to read them.
  process.setgroups!([]);
  process.setgid!(Number(argument));
  process.setuid!(Number(argument));
}
const opening = await openEmbeddedLog(
  { dataDir: dataDir!, partitionCount: 3, flushesBehind: behind !== undefined },
  systemClock,
);
if (role === "open") {
  say(JSON.stringify(opening.ok ? { ok: true } : opening));
  process.exit(0);
}
assert.ok(opening.ok);
const { log } = opening;

async function joined(): Promise<Session> {
  const { promise, resolve } = Promise.withResolvers<Session>();
  await log.join(resolve, (reason) => {
    say(`refused ${reason}`);
    process.exit(0);
  });
  return promise;
}

if (role === "hold") {
  await joined();
  say("held");
  setInterval(() => {}, 60_000);
} else if (role === "append") {
  for await (const line of createInterface(process.stdin)) {
    assert.deepEqual(await log.append([recordOfText("dlq", 0, line)]), { ok: true });
    say("ack");
  }
  await log.close();
} else {
  const session = await joined();
  let call = Number(argument);
  const appender = async () => {
    for (;;) {
      const mine = call++;
      assert.deepEqual(await log.append(callRecords(mine)), { ok: true });
      say(`ack ${mine}`);
      const commit = { topic: "enrolled", partition: 0, offset: mine, metadata: `after ${mine}` } as const;
      assert.equal(await session.commit([commit]), "committed");
      say(`commit ${mine}`);
    }
  };
  await Promise.all([appender(), appender(), appender(), appender()]);
}
