import assert from "node:assert/strict";
import { test } from "node:test";
import { functionsOf, longFunctionViolations } from "./function-rules.ts";

const file = (text: string) => ({ path: "src/a.ts", text });

test("functions are found by their names, with their lines, and what only declares one is none", () => {
  const text = `interface Port {
  scan(a: A, b: B, c: C, d: D): void;
}
export function first(a: number, { b, c }: B, ...rest: string[]): void {
  const second = (x: number) =>
    x;
  return { third(y) {}, fourth: async (z) => z };
}
class K {
  constructor(a, b) {}
}
`;
  assert.deepEqual(
    functionsOf(file(text)).map(({ name, line, lines }) => [name, line, lines]),
    [
      ["first", 4, 5],
      ["second", 5, 2],
      ["third", 7, 1],
      ["fourth", 7, 1],
      ["constructor", 10, 1],
    ],
  );
});

test("a function has a limit of lines", () => {
  const long = file(`function f() {\n${"  g();\n".repeat(3)}}`);
  assert.deepEqual(longFunctionViolations(long, 4), [
    "src/a.ts:1: f has 5 lines; split it by concern, 4 is the limit",
  ]);
  assert.deepEqual(longFunctionViolations(long, 5), []);
});
