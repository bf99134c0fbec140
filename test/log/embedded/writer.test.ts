/** The order of a group that fails, while another process begins to write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HighWaterMark } from "../../../src/log/embedded/high-water-mark.ts";
import type { Store } from "../../../src/log/embedded/store.ts";
import { Writer } from "../../../src/log/embedded/writer.ts";
import { ManualClock } from "./manual-clock.ts";

const sqliteError = (errcode: number, message: string) =>
  Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode, errstr: message });
const full = sqliteError(13, "database or disk is full");
const busy = sqliteError(5, "database is locked");

/** Transactions fail with these in turn; null: it is written, and so are all that follow. */
function writerOver(...failures: (Error | null)[]) {
  const clock = new ManualClock();
  const store = {
    write(run: () => void) {
      const failure = failures.shift() ?? null;
      if (failure !== null) throw failure;
      run();
      return 1;
    },
  } as unknown as Store;
  const mark = { advance: () => {} } as unknown as HighWaterMark;
  return { clock, writer: new Writer({ file: "/data/log.db", store, mark, clock, wal: null }, 1_000) };
}

test("requests that wait again for another process keep their order", async () => {
  // The group on a full disk; then each alone: the first is written, at the second another process writes.
  const { writer, clock } = writerOver(full, null, busy);
  const written: string[] = [];
  const all = ["a", "b", "c", "d"].map((name) => writer.write(1, () => void written.push(name)));
  await all[0];
  const late = writer.write(1, () => void written.push("e"));
  clock.advance(20);
  await Promise.all([...all, late]);
  assert.deepEqual(written, ["a", "b", "c", "d", "e"]);
});
