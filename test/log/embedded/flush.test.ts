/** What was acknowledged survives a power failure: the kernel had flushed it before. Seen by strace. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { workspaceOf } from "./harness.ts";

const script = fileURLToPath(new URL("./child.ts", import.meta.url));

function whyNoStrace(): string | false {
  try {
    execFileSync("strace", ["-qq", "-o", "/dev/null", "true"], { stdio: "ignore" });
    return false;
  } catch {
    return "no strace that may trace";
  }
}

const options = { skip: whyNoStrace(), timeout: 60_000 };

test("each acknowledged append was flushed first", options, (t) => flushedFirst(t, "append"));
test("flushed behind, it was all the same", options, (t) => flushedFirst(t, "append-behind"));

async function flushedFirst(t: TestContext, role: string): Promise<void> {
  const { dataDir } = workspaceOf(t);
  const traced = ["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,write", "-e", "signal=none"];
  const child = spawn("strace", [...traced, process.execPath, script, role, dataDir]);
  t.after(() => child.kill("SIGKILL"));
  const calls: string[] = [];
  const reading = (async () => {
    for await (const line of createInterface(child.stderr)) calls.push(line);
  })();
  const acks = createInterface(child.stdout)[Symbol.asyncIterator]();
  for (let append = 0; append < 4; append += 1) {
    child.stdin.write(`value ${append}\n`);
    assert.equal((await acks.next()).value, "ack");
  }
  child.stdin.end();
  await reading;
  // Between two acknowledgements the write-ahead log is flushed at least once.
  let flushed = 0;
  let acknowledged = 0;
  for (const call of calls) {
    if (/\bf(data)?sync\(.*log\.db-wal/.test(call)) flushed += 1;
    if (!/\bwrite\(1<.*"ack\\n"/.test(call)) continue;
    acknowledged += 1;
    assert.ok(flushed > 0, `append ${acknowledged} was acknowledged without a flush`);
    flushed = 0;
  }
  assert.equal(acknowledged, 4);
}
