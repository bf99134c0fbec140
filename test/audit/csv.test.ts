import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CsvRecord, csvLine, csvRecords } from "../../src/audit/csv.ts";

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

/** Strings in which what matters is frequent. */
const hostile = fc
  .array(
    fc.constantFrom(..."=+-@\t\r\n,;|\"' aZ0\u0000\u00e4\uff1d\uff20\u{1f600}", "\r\n", "=cmd|' /C calc'!A0"),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** How a spreadsheet would cut a line into cells where this is the separator, whatever it makes of quotes. */
function cellsBy(separator: string, text: string): string[] {
  return text.split(/\r\n|\r|\n/).flatMap((line) => line.split(separator));
}

test("no cell begins like a formula, whatever separator a spreadsheet goes by", () => {
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 5 }), (values) => {
      const line = csvLine(values);
      for (const separator of [",", ";", "\t", "|"])
        for (const cell of cellsBy(separator, line))
          assert.doesNotMatch(
            cell,
            /^[\s"]{0,8}[=+\-@\uff1d\uff0b\uff0d\uff20]/,
            JSON.stringify({ values, line }),
          );
    }),
    { numRuns: 20_000 },
  );
});

test("what is written is read back, cell by cell, in pieces of any size; only apostrophes are added", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.oneof(hostile, fc.string({ unit: "binary" })), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.integer({ min: 1, max: 40 }),
      async (rows, size) => {
        const text = rows.map(csvLine).join("");
        const read: CsvRecord[] = [];
        for await (const record of csvRecords(pieces(text, size))) read.push(record);
        assert.equal(read.map((record) => record.text).join(""), text);
        assert.equal(read.length, rows.length);
        for (const [row, { values }] of read.entries()) {
          assert.equal(values.length, rows[row]!.length);
          for (const [at, value] of values.entries())
            assert.equal(value.replaceAll("'", ""), rows[row]![at]!.replaceAll("'", ""));
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test("values that no spreadsheet takes for anything else stay as they are", () => {
  assert.equal(
    csvLine(["WIN01", "2016-12-31T23:57:59.3726057-08:00", 7, null, "a,b", 'say "no"', "enrolled/3/1042"]),
    'WIN01,2016-12-31T23:57:59.3726057-08:00,7,,"a,b","say ""no""",enrolled/3/1042\r\n',
  );
  assert.equal(csvLine(["=1+1", "-x", "@a", "\tb", "a;=b"]), `"'=1+1","'-x","'@a","'\tb","a;'=b"\r\n`);
});

test("a long value of nothing but separators takes no longer than its length", () => {
  for (const part of ["\t", ",", '\t"', ";' "]) assert.ok(csvLine([part.repeat(200_000)]).length > 200_000);
});
