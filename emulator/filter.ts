/**
 * `$filter` in part: comparisons (eq, ne, gt, ge, lt, le), startswith, endswith, contains; joined by `and` and `or`, of which
 * `and` binds first. Nothing in brackets, no `not`. Texts are compared as they are, date-times as instants. Pure.
 */

import { readDateTimeOffset } from "./date-time.ts";
import { type Checked, type GraphObject, kinds, type Property, propertyNamed } from "./resource.ts";

export type Predicate = (object: GraphObject) => boolean;

const maxLength = 2_048;
const maxTerms = 20;

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
};
const functions: Readonly<Record<string, (value: string, part: string) => boolean>> = {
  startswith: (value, part) => value.startsWith(part),
  endswith: (value, part) => value.endsWith(part),
  contains: (value, part) => value.includes(part),
};

/** A text in quotes (a quote in it is doubled) or a word: a name, an operator, a date-time. */
const token = /\s*(?:'((?:[^']|'')*)'|([^\s'(),]+)|([(),]))/y;

interface Token {
  readonly kind: "text" | "word" | "sign";
  readonly value: string;
}

export function readFilter(text: string): Checked<Predicate> {
  if (text.length > maxLength) return invalid(`it is longer than ${maxLength} characters`);
  const tokens = tokensOf(text);
  if (tokens === null) return invalid("it has a character or a quote that belongs nowhere");
  const alternatives: Predicate[][] = [[]];
  let at = 0;
  for (let terms = 1; ; terms += 1) {
    if (terms > maxTerms) return invalid(`it has more than ${maxTerms} conditions`);
    const isCall = tokens[at + 1]?.value === "(" && tokens[at + 1]?.kind === "sign";
    const term = isCall ? readCall(tokens.slice(at, at + 6)) : readComparison(tokens.slice(at, at + 3));
    if (!term.ok) return term;
    alternatives.at(-1)!.push(term.value);
    at += isCall ? 6 : 3;
    const next = tokens[at];
    if (next === undefined) break;
    if (next.kind !== "word" || !/^(?:and|or)$/.test(next.value)) return unexpected(next);
    if (next.value === "or") alternatives.push([]);
    at += 1;
  }
  return { ok: true, value: (object) => alternatives.some((all) => all.every((holds) => holds(object))) };
}

/** Null: it holds something that is not a token. */
function tokensOf(text: string): Token[] | null {
  const tokens: Token[] = [];
  const trimmed = text.trimEnd();
  token.lastIndex = 0;
  while (token.lastIndex < trimmed.length) {
    const found = token.exec(trimmed);
    if (found === null) return null;
    const [, quoted, word, sign] = found;
    if (quoted !== undefined) tokens.push({ kind: "text", value: quoted.replaceAll("''", "'") });
    else if (word !== undefined) tokens.push({ kind: "word", value: word });
    else tokens.push({ kind: "sign", value: sign! });
  }
  return tokens;
}

/** Such as `machineName eq 'HOST-1'`, `enrollmentDateTime ge 2026-01-01T00:00:00Z`. */
function readComparison(tokens: readonly Token[]): Checked<Predicate> {
  const [name, operator, literal] = tokens;
  const property = propertyAt(name);
  if (!property.ok) return property;
  const compare = operator?.kind === "word" ? comparisons[operator.value] : undefined;
  if (compare === undefined) return unexpected(operator);
  if (kinds[property.value] === "date-time") {
    const instant = literal?.kind === "word" ? readDateTimeOffset(literal.value)?.instant : undefined;
    if (instant === undefined)
      return invalid(`'${property.value}' is compared with a date-time, without quotes`);
    return {
      ok: true,
      value: (object) => compare(compareValues(property.value, object[property.value], instant)),
    };
  }
  if (literal?.kind !== "text")
    return invalid(`'${property.value}' is compared with a text in single quotes`);
  const { value } = literal;
  return {
    ok: true,
    value: (object) => compare(compareValues(property.value, object[property.value], value)),
  };
}

/** Such as `startswith(machineName,'HOST')`. */
function readCall(tokens: readonly Token[]): Checked<Predicate> {
  const [name, , first, comma, part, closing] = tokens;
  const call = name?.kind === "word" ? functions[name.value] : undefined;
  if (call === undefined) return unexpected(name);
  const property = propertyAt(first);
  if (!property.ok) return property;
  if (comma?.value !== ",") return unexpected(comma);
  if (part?.kind !== "text") return unexpected(part);
  if (closing?.value !== ")") return unexpected(closing);
  if (kinds[property.value] === "date-time") return invalid(`${name!.value} takes no date-time`);
  return { ok: true, value: (object) => call(object[property.value], part.value) };
}

function propertyAt(found: Token | undefined): Checked<Property> {
  if (found?.kind !== "word") return unexpected(found);
  return propertyNamed(found.value);
}

/** Below 0, 0 or above 0. Date-times by their instant; `b` may be an instant already. */
export function compareValues(property: Property, a: string, b: string): number {
  if (kinds[property] !== "date-time") return compareTexts(a, b);
  const [[seconds = "", fraction = ""] = [], [otherSeconds = "", otherFraction = ""] = []] = [a, b].map(
    (text) => (readDateTimeOffset(text)?.instant ?? text).split("."),
  );
  return Number(seconds) - Number(otherSeconds) || compareTexts(fraction, otherFraction);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function unexpected(found: Token | undefined): Checked<never> {
  const what =
    found === undefined ? "it ends too early" : `'${found.value.slice(0, 64)}' is not expected there`;
  return invalid(what);
}

function invalid(why: string): Checked<never> {
  return { ok: false, message: `Invalid filter clause: ${why}.` };
}
