import assert from "node:assert/strict";
import { test } from "node:test";
import { blank, importsOf } from "./ts-text.ts";

test("comments are blanked, strings kept or blanked, length and lines stay", () => {
  const text = 'a; // Date.now\n/* x\ny */ b = "Date.now"; `t ${Date.now()} u`;';
  const kept = blank(text, "keep");
  assert.equal(kept.trim().split(/\s+/).join(" "), 'a; b = "Date.now"; `t ${Date.now()} u`;');
  const blanked = blank(text, "blank");
  assert.equal(blanked.match(/Date\.now/g)?.length, 1);
  for (const result of [kept, blanked]) {
    assert.equal(result.length, text.length);
    assert.equal(result.split("\n").length, 3);
  }
});

test("regular expressions are distinguished from divisions", () => {
  assert.equal(blank("const a = /[/]'any\"/g; x", "blank").includes("any"), false);
  assert.match(blank("const a = b / c; // any\nd(e) / f", "blank"), /b \/ c; {7}\nd\(e\) \/ f/);
  assert.match(blank('const s = "http://x"; y', "keep"), /"http:\/\/x"; y/);
});

test("imports of every form are found, with their line and whether types only", () => {
  const text = `#!/usr/bin/env node
/** import { no } from "./comment.ts"; */
import { a } from "./a.ts";
import type { B } from "./b.ts";
import { type C, type D } from "./c.ts";
import e, { type F } from "e";
import "./side-effect.ts";
import {
  g,
  type H,
} from "./g.ts";
export { i } from "./i.ts";
export type * from "./j.ts";
export const from = "./no.ts";
const k = await import("./k.ts");
import * as l from "node:fs";
`;
  assert.deepEqual(
    importsOf(text).map(({ specifier, typeOnly, line }) => [specifier, typeOnly, line]),
    [
      ["./a.ts", false, 3],
      ["./b.ts", true, 4],
      ["./c.ts", true, 5],
      ["e", false, 6],
      ["./side-effect.ts", false, 7],
      ["./g.ts", false, 8],
      ["./i.ts", false, 12],
      ["./j.ts", true, 13],
      ["./k.ts", false, 15],
      ["node:fs", false, 16],
    ],
  );
});
