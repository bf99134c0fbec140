import assert from "node:assert/strict";
import { test } from "node:test";
import { cursorText, readCursor } from "../../src/index/cursor.ts";
import type { EnrollmentIndex } from "../../src/index/enrollment-index.ts";

test("the end of a page is read back as it was", () => {
  const { next }: ReturnType<EnrollmentIndex["search"]> = {
    rows: [],
    next: cursorText({ atMs: 1_483_257_600_000, row: 7 }),
  };
  assert.deepEqual(readCursor(next), { atMs: 1_483_257_600_000, row: 7 });
});

test("a cursor that is not the end of a page begins at the start", () => {
  for (const text of [
    null,
    undefined,
    "",
    "1",
    "1-",
    "-1-2",
    "1-2-3",
    "1e3-2",
    "1-2; DROP",
    "9999999999999999-1",
  ])
    assert.equal(readCursor(text), null, String(text));
});
