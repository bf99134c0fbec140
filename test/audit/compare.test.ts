import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cells, columns } from "../../src/audit/columns.ts";
import { type Difference, differences, entriesOf } from "../../src/audit/compare.ts";

async function* text(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** A row of this second of the day, under this id. */
function row(second: number, id: string, code = "x"): string {
  const cells = Object.fromEntries(columns.map((column) => [column, null])) as Record<
    keyof Cells,
    string | null
  >;
  const time = second < 0 ? null : new Date(second * 1000).toISOString();
  return `${JSON.stringify({ ...cells, time, idempotencyKey: id, deadLetterCode: code })}\n`;
}

async function compared(inFile: readonly string[], inTopics: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const one of differences(entriesOf(text(inFile), "jsonl"), entriesOf(text(inTopics), "jsonl")))
    found.push(brief(one));
  return found;
}

function brief(one: Difference): string {
  if (one.kind === "unreadable") return `unreadable ${one.record}`;
  return `${one.kind} ${one.kind === "differs" ? `${one.id} ${one.changes.map(({ column }) => column)}` : one.entry.id}`;
}

test("rows that were left out, added and changed are distinguished, anywhere in the file", async () => {
  const whole = [row(9, "a"), row(9, "b"), row(7, "c"), row(-1, "d")];
  assert.deepEqual(await compared(whole, whole), []);
  for (const [at, id] of ["a", "b", "c", "d"].entries()) {
    const without = whole.filter((_, index) => index !== at);
    assert.deepEqual(await compared(without, whole), [`only-in-topics ${id}`]);
    assert.deepEqual(await compared(whole, without), [`only-in-file ${id}`]);
    const changed = whole.map((line, index) => (index === at ? line.replace('"x"', '"y"') : line));
    assert.deepEqual(await compared(changed, whole), [`differs ${id} deadLetterCode`]);
  }
  assert.deepEqual(await compared([], whole.slice(0, 2)), ["only-in-topics a", "only-in-topics b"]);
});

test("a row twice, rows out of order, and lines that are not rows are not skipped", async () => {
  const whole = [row(9, "a"), row(8, "b")];
  assert.deepEqual(await compared([whole[0]!, whole[0]!, whole[1]!], whole), ["only-in-file a"]);
  assert.deepEqual(await compared([whole[1]!, whole[0]!], whole), ["only-in-topics a", "only-in-file a"]);
  for (const line of [
    "\n",
    "{}\n",
    "null\n",
    "no JSON\n",
    row(9, "").trimEnd(),
    row(9, "z").replace("1970", "soon"),
  ])
    assert.deepEqual(await compared([...whole, line], whole), ["unreadable 3"], line);
  assert.deepEqual(await compared([whole[0]!, whole[1]!.trimEnd()], whole), ["differs b "]);
});
