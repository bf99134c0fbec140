import assert from "node:assert/strict";
import { test } from "node:test";
import { recordJson } from "../../src/cli/record-json.ts";
import type { LogRecord } from "../../src/ports.ts";

const bytes = (text: string) => Buffer.from(text, "utf8");
const broken = Uint8Array.of(0xc3, 0x28);
const base: LogRecord = {
  topic: "dlq",
  partition: 3,
  offset: 9,
  key: bytes("k"),
  value: bytes("v"),
  headers: [],
  timestampMs: 0,
  leaderEpoch: -1,
};

test("UTF-8 becomes text, the rest base64 under another name", () => {
  assert.deepEqual(recordJson(base), { partition: 3, offset: 9, key: "k", headers: {}, value: "v" });
  assert.deepEqual(recordJson({ ...base, key: broken, value: broken }), {
    partition: 3,
    offset: 9,
    keyBase64: "wyg=",
    headers: {},
    valueBase64: "wyg=",
  });
  assert.deepEqual(recordJson({ ...base, key: null, value: null }), {
    partition: 3,
    offset: 9,
    key: null,
    headers: {},
    value: null,
  });
});

test("a byte order mark stays, so that the text is the bytes", () => {
  assert.equal(recordJson({ ...base, value: bytes("\ufeffv") }).value, "\ufeffv");
});

test("headers: repeated names make a list, hostile names are members like others", () => {
  const headers = [
    ["a", bytes("1")],
    ["a", bytes("2")],
    ["b", broken],
    ["n", null],
    ["__proto__", bytes("p")],
  ] as const;
  assert.equal(
    JSON.stringify(recordJson({ ...base, headers }).headers),
    '{"a":["1","2"],"b":{"base64":"wyg="},"n":null,"__proto__":"p"}',
  );
});
