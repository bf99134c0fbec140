/**
 * CSV by RFC 4180, safe to open in a spreadsheet.
 *
 * 1. What a spreadsheet would take for a formula gets an apostrophe in front: at the start of a value, and after each character at which
 *    some locale begins a new cell (semicolon, tab, ...). So a value in CSV may differ from the real one; JSON lines hold it unchanged.
 * 2. Every value is in quotes unless it is plain, and quotes in it are doubled.
 */
const beforeFormula = /(?=[\s"']{0,8}[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])/.source;
const atStart = new RegExp(`^${beforeFormula}`);
const afterSeparator = new RegExp(`([,;|\t\r\n])${beforeFormula}`, "g");
const plain = /^[A-Za-z0-9 ._:/@-]*$/;

const csvEnd = "\r\n";

export function csvLine(values: readonly (string | number | null)[]): string {
  return values.map(csvValue).join(",") + csvEnd;
}

function csvValue(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = value.replace(afterSeparator, "$1'").replace(atStart, "'"); // 1
  return plain.test(safe) ? safe : `"${safe.replaceAll('"', '""')}"`; // 2
}

export interface CsvRecord {
  /** As it stands in the text, its end included. */
  readonly text: string;
  readonly values: readonly string[];
}

/** The records of a CSV text that comes in pieces. Text that is not CSV makes records too, but other ones. */
export async function* csvRecords(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  let rest = "";
  for await (const chunk of chunks) {
    rest += chunk;
    let from = 0;
    for (let end = recordEnd(rest, from); end !== null; end = recordEnd(rest, from)) {
      yield csvRecord(rest.slice(from, end));
      from = end;
    }
    rest = rest.slice(from);
  }
  if (rest !== "") yield csvRecord(rest);
}

/** After the next line end that is not within quotes; null: not in this text. */
function recordEnd(text: string, from: number): number | null {
  let isQuoted = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === "\n" && !isQuoted) return at + 1;
  }
  return null;
}

function csvRecord(text: string): CsvRecord {
  const values: string[] = [];
  const body = text.replace(/\r?\n$/, "");
  const value = /(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/y;
  while (value.lastIndex <= body.length) {
    const match = value.exec(body);
    if (match === null) break;
    values.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (!match[0].endsWith(",")) break;
  }
  return { text, values };
}
