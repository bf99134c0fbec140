/** A log that loses its last records under a reader. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { append, aRecord, never, numbered } from "../../contracts/event-log/harness.ts";
import { workspaceOf } from "./harness.ts";

const timeout = 20_000;

test("a log that is cut while it is scanned ends the scan where it ends now", { timeout }, async (t) => {
  const { dataDir, open } = workspaceOf(t);
  const log = await open();
  await append(
    log,
    numbered("value ", 600).map((value) => aRecord("enrolled", 0, value)),
  );
  let count = 0;
  const cutAtFirst = ({ length }: { readonly length: number }) => {
    if (count === 0) {
      const db = new DatabaseSync(join(dataDir, "log.db"));
      db.exec("DELETE FROM enrolled_0 WHERE offset >= 500");
      db.exec("UPDATE bounds SET next_offset = 500 WHERE topic = 'enrolled' AND partition = 0");
      db.close();
    }
    count += length;
  };
  const result = await log.scan("enrolled", 0, 0, cutAtFirst, never());
  assert.deepEqual([result, count], [{ ok: true, nextOffset: 500 }, 500]);
});
