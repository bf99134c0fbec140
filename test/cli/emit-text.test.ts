import assert from "node:assert/strict";
import { test } from "node:test";
import { decodedText, type JsonText, linesOf, objectsOf } from "../../src/cli/emit-text.ts";

const one = { machineName: "PKI-Ä1", note: 'brackets } ] { [ and a quote " in a text' };
const two = { machineName: "PKI-2", nested: { list: [1, { a: null }] } };
const both = [JSON.stringify(one), JSON.stringify(two)];

/** In pieces of `size` bytes, so that characters, line ends and byte order marks are cut apart. */
async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = 3, parts = objectsOf): Promise<JsonText[]> {
  const found: JsonText[] = [];
  for await (const each of parts(decodedText(inPieces(bytes, size)))) found.push(each);
  return found;
}

const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();
const pretty = JSON.stringify(one, null, 2);
const forms: Readonly<Record<string, [bytes: Uint8Array, lines: number[]]>> = {
  "one a line": [Buffer.from(both.join("\n")), [1, 2]],
  "one a line, CRLF and blank lines": [Buffer.from(`\r\n${both.join("\r\n\r\n")}\r\n`), [2, 4]],
  "UTF-8 with a byte order mark": [Buffer.from(`\ufeff${both.join("\n")}`), [1, 2]],
  "UTF-16 LE with a byte order mark": [Buffer.from(`\ufeff${both.join("\r\n")}`, "utf16le"), [1, 2]],
  "UTF-16 BE with a byte order mark": [utf16be(`\ufeff${both.join("\r\n")}`), [1, 2]],
  "UTF-16 LE without one": [Buffer.from(both.join("\n"), "utf16le"), [1, 2]],
  "UTF-16 BE without one": [utf16be(both.join("\n")), [1, 2]],
  "over many lines": [Buffer.from(`${pretty}\n${JSON.stringify(two, null, "\t")}\n`), [1, 5]],
  "an array on one line": [Buffer.from(JSON.stringify([one, two])), [1, 1]],
  "an array over many lines, CRLF": [
    Buffer.from(JSON.stringify([one, two], null, 2).replaceAll("\n", "\r\n")),
    [2, 6],
  ],
  "an array with an object at the start of each line": [Buffer.from(`[\n${both.join(",\n")}\n]\n`), [2, 3]],
};

for (const [name, [bytes, lines]] of Object.entries(forms)) {
  test(`read, each with its line: ${name}`, async () => {
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const found = await read(bytes, size);
      assert.deepEqual(
        found.map((each) => (each.ok ? JSON.parse(each.text) : each)),
        [one, two],
      );
      assert.deepEqual(
        found.map(({ line }) => line),
        lines,
      );
    }
  });
}

const good = JSON.stringify(two);
const broken: Readonly<Record<string, [text: string | Uint8Array, line: number, problem: RegExp]>> = {
  "no JSON": [`${good}\n\nmachine;connector\n${good}`, 3, /^not a JSON object$/],
  "a number": [`${good}\n17\n${good}`, 2, /^not a JSON object$/],
  "an object cut off": [`${good}\n{"a": {"b": 1\n${good}`, 2, /begins here and has no end/],
  "a text cut off": [`${good}\n{"a": "b\n${good}`, 2, /a text has no end on its line/],
  "a member without a name": [`${good}\n{oops}\n${good}`, 2, /^not a JSON object: Expected property name/],
  "a comma too many": [`${good}\n{"a": 1,}\n${good}`, 2, /^not a JSON object: Expected double-quoted/],
  "too long": [
    `${good}\n{"a": "${"x".repeat(1_000_001)}"}\n${good}`,
    2,
    /^longer than 1000000 characters, the most that emit takes; shorten it$/,
  ],
  "bytes of another code page": [
    Buffer.concat([Buffer.from(`${good}\n{"a": "`), Buffer.from([0xc4]), Buffer.from(`"}\n${good}`)]),
    2,
    /not UTF-8; save the file as UTF-8/,
  ],
};

for (const [name, [text, line, problem]] of Object.entries(broken)) {
  test(`refused with its line, and what follows is read: ${name}`, async () => {
    const found = await read(typeof text === "string" ? Buffer.from(text) : text, 1_000);
    assert.deepEqual(
      found.map((each) => each.ok),
      [true, false, true],
    );
    const wrong = found[1]!;
    assert.ok(!wrong.ok);
    assert.equal(wrong.line, line);
    assert.match(wrong.problem, problem);
    assert.ok(!wrong.problem.includes("PKI-2"));
  });
}

test("an object or an array that the file's end cuts off is refused", async () => {
  for (const text of [`${good}\n{"a": 1`, `[${good},\n`]) {
    const found = await read(Buffer.from(text));
    assert.deepEqual(
      found.map(({ ok, line }) => [ok, line]),
      [
        [true, 1],
        [false, 2],
      ],
    );
  }
});

test("an empty file holds nothing", async () => {
  for (const text of ["", "\n", "[]", "\ufeff", " "]) assert.deepEqual(await read(Buffer.from(text)), []);
});

test("lines as they are: without byte order mark and line ends, the last one too", async () => {
  const found = await read(Buffer.from("\ufeff{oops\r\n\r\nlast", "utf16le"), 3, linesOf);
  assert.deepEqual(found, [
    { ok: true, line: 1, text: "{oops" },
    { ok: true, line: 2, text: "" },
    { ok: true, line: 3, text: "last" },
  ]);
});
