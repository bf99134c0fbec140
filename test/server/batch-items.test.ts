import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchItems } from "../../src/server/intake/batch-items.ts";

const cut = (text: string, maxItems = 1_000) => {
  const found = batchItems(Buffer.from(text), maxItems);
  return found.ok ? found.items.map((item) => Buffer.from(item).toString()) : found.why;
};

for (const [text, expected] of [
  ["[]", []],
  [" [ ] \n", []],
  ["[1]", ["1"]],
  ['[{"a":[1,2],"b":"]},{"} , "x,y" ]', ['{"a":[1,2],"b":"]},{"}', '"x,y"']],
  ['["\\"]", "\\\\"]', ['"\\"]"', '"\\\\"']],
  ["\ufeff[1]", ["1"]],
  ["[1,]", ["1", ""]],
  ["[,1]", ["", "1"]],
  ["", "not-array"],
  ["{}", "not-array"],
  ["[1", "not-array"],
  ["[1] x", "not-array"],
  ["[] []", "not-array"],
  ['["]', "not-array"],
  ['["\\', "not-array"],
  [`${"[".repeat(1_000_000)}`, "not-array"],
] as const) {
  test(`${JSON.stringify(text.slice(0, 40))} is cut to ${JSON.stringify(expected)}`, () =>
    assert.deepEqual(cut(text), expected));
}

test("more items than there may be", () => {
  assert.deepEqual(cut("[1,2,3]", 3), ["1", "2", "3"]);
  assert.equal(cut("[1,2,3,4]", 3), "too-many");
});

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

test("a text is a JSON array exactly when it is cut and each item is JSON, and then the items are the array's", () => {
  const arrays = fc.array(fc.jsonValue()).map((value) => JSON.stringify(value, null, 1));
  const slips = fc.constantFrom("[", "]", "{", "}", ",", '"', "\\", " ", "1", "");
  const damaged = fc.tuple(arrays, fc.nat(), slips, fc.nat(2)).map(([text, at, slip, drop]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + slip + text.slice(place + drop);
  });
  fc.assert(
    fc.property(fc.oneof(arrays, damaged), (text) => {
      const whole = parsed(text);
      const items = cut(text, 1_000_000);
      const values = Array.isArray(items) ? items.map(parsed) : [undefined];
      if (!Array.isArray(whole)) return assert.ok(values.includes(undefined), text);
      assert.deepEqual(values, whole);
    }),
    { numRuns: 3_000 },
  );
});
