import assert from "node:assert/strict";
import { test } from "node:test";
import { createLine, firstLive, takeLive } from "../../src/registrar/line.ts";
import type { Work } from "../../src/registrar/partition.ts";

const lost = AbortSignal.abort();
const held = new AbortController().signal;
const work = (name: string, signal: AbortSignal, withdrawn: boolean) =>
  ({ lane: name, partition: { lost: { signal } }, withdrawn }) as unknown as Work;

/** Two that let go (one parked, one whose partition was lost) before each of those that still want to go. */
function lineOf(...names: string[]) {
  const line = createLine("tenant", 100);
  for (const name of names) {
    line.ready.push(
      work(`${name} parked`, held, true),
      work(`${name} lost`, lost, false),
      work(name, held, false),
    );
  }
  return line;
}
const names = (works: readonly Work[]) => works.map(({ lane }) => lane);

test("the first that still wants to go stands in front, and those before it are forgotten", () => {
  const line = lineOf("a", "b");
  assert.equal(firstLive(line)?.lane, "a");
  assert.deepEqual(names(line.ready), ["a", "b parked", "b lost", "b"]);
  const gone = createLine("tenant", 100);
  gone.ready.push(work("parked", held, true));
  assert.equal(firstLive(gone), undefined);
  assert.equal(gone.ready.length, 0);
});

test("as many as were asked for are taken off the front, in order, and none that let go", () => {
  const line = lineOf("a", "b", "c");
  assert.deepEqual(names(takeLive(line, 2)), ["a", "b"]);
  assert.deepEqual(names(line.ready), ["c parked", "c lost", "c"]);
  assert.deepEqual(names(takeLive(line, 2)), ["c"]);
  assert.equal(line.ready.length, 0);
});

test("one that goes alone is taken alone, wherever it stands", () => {
  const line = lineOf("a", "b", "c", "d");
  for (const each of line.ready) if (each.lane === "c") each.alone = true;
  assert.deepEqual(names(takeLive(line, 10)), ["a", "b"]);
  assert.deepEqual(names(takeLive(line, 10)), ["c"]);
  assert.deepEqual(names(takeLive(line, 10)), ["d"]);
});
