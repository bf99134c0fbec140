/**
 * Pages as text, by a template that escapes.
 *
 * 1. Every value is escaped, for text and for quoted attributes alike; only what this template made goes in as it is.
 * 2. Attributes are always written with double quotes, and no value stands in a script, a style or an event attribute: the
 *    policy of the pages allows none of these.
 */

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | null | undefined | false | readonly Part[];

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0]!;
  for (const [at, part] of parts.entries()) text += textOf(part) + strings[at + 1];
  return new Html(text);
}

function textOf(part: Part): string {
  if (part === null || part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return escaped(String(part));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What a document can't hold (null characters, halves of pairs) becomes the replacement character. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("\0", "\ufffd")
    .replace(/[&<>"']/g, (character) => entities[character]!);
}

/** A value within an address. Halves of pairs can't stand in one. */
export function inAddress(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
