import assert from "node:assert/strict";
import { test } from "node:test";
import { functionsOf, longFunctionViolations, parameterViolations } from "./function-rules.ts";

const file = (text: string) => ({ path: "src/a.ts", text });

test("functions are found by their names, with their lines and parameters", () => {
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
    functionsOf(file(text)).map(({ name, line, lines, parameters }) => [name, line, lines, parameters]),
    [
      ["first", 4, 5, 3],
      ["second", 5, 2, 1],
      ["third", 7, 1, 1],
      ["fourth", 7, 1, 1],
      ["constructor", 10, 1, 2],
    ],
  );
});

for (const code of [
  "function f(a: A, b: B, c = 1, d?: D) {}",
  "const f = (a, b, c, d) => a;",
  "class K { m(a, b, c, ...d) {} }",
]) {
  test(`four parameters by position are refused: ${code}`, () => {
    assert.match(parameterViolations(file(code), 3).join(), /^src\/a\.ts:1: .* takes 4 parameters/);
    assert.deepEqual(parameterViolations(file(code), 4), []);
  });
}

test("three are allowed, and so is a type that declares more", () => {
  const code =
    "function f(a: A, b: B, { c, d, e }: C) {}\ninterface P { scan(a: A, b: B, c: C, d: D): void }";
  assert.deepEqual(parameterViolations(file(code), 3), []);
});

test("a function has a limit of lines", () => {
  const long = file(`function f() {\n${"  g();\n".repeat(3)}}`);
  assert.deepEqual(longFunctionViolations(long, 4), [
    "src/a.ts:1: f has 5 lines; split it by concern, 4 is the limit",
  ]);
  assert.deepEqual(longFunctionViolations(long, 5), []);
});
