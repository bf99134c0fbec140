/** All that the project's sources and pages say to type, as texts: literals of the code, joined where the code joins them. */
import { blank, lineAt } from "./ts-text.ts";

export interface AdviceText {
  /** `src/a.ts:3`. */
  readonly at: string;
  /** Holes of templates stay as they are written. */
  readonly text: string;
}

const literal =
  /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|`(?:\\[\s\S]|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^`\\])*`/;
const joined = new RegExp(`(?:${literal.source})(?:\\s*\\+\\s*(?:${literal.source}))*`, "g");

/** What a user could be led to do by it. */
const actionable =
  /kafka-[\w-]+\.sh|\b[A-Z]{3,}(?:_[A-Z0-9]+)+\b|\brm \b|\brecover\b|\b(?:[Tt]ype|[Ss]et|[Ss]top|[Dd]elete|[Rr]estore|[Cc]hoose|[Ss]tart) \S/;

export function adviceInCode(path: string, source: string): AdviceText[] {
  const code = blank(source, "keep");
  return [...code.matchAll(joined)]
    .map((match) => ({ at: `${path}:${lineAt(code, match.index)}`, text: textOf(match[0]) }))
    .filter(({ text }) => text.includes(" ") && actionable.test(text));
}

/** Rows, list items, and lines of code blocks with the paragraph before them. */
export function adviceInPage(path: string, page: string): AdviceText[] {
  const paragraphs = page.split(/\n(?=\||- |#)|\n\n(?! {4}|```)/);
  let line = 1;
  return paragraphs.flatMap((text) => {
    const at = `${path}:${line}`;
    line += text.split("\n").length;
    return actionable.test(text) ? [{ at, text: text.replaceAll(/\s+/g, " ") }] : [];
  });
}

function textOf(literals: string): string {
  const parts = literals.match(new RegExp(literal.source, "g")) ?? [];
  return parts.map((part) => part.slice(1, -1).replaceAll(/\\(.)/g, "$1")).join("");
}
