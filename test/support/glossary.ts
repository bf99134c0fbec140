/** docs/GLOSSARY.md as data, and what can be wrong with it. test/glossary.test.ts applies this to the tree. */
import type { SourceFile, Violation } from "./tidy-rules.ts";
import { lineAt } from "./ts-text.ts";

export interface Term {
  readonly term: string;
  readonly meaning: string;
  readonly name: string;
  /** From the repository's root. */
  readonly path: string;
}

const otherRooms = /^(?:demo|emulator|lab)\//;

/** The rows of its table. Throws on one that has not four cells. */
export function readGlossary(markdown: string): Term[] {
  const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => {
    const cells = /^\| (.+?) \| (.+?) \| `(.+?)` \| `(.+?)` \|$/.exec(row);
    if (cells === null) throw new Error(`docs/GLOSSARY.md: not term, meaning, \`name\`, \`file\`: ${row}`);
    const [, term = "", meaning = "", name = "", file = ""] = cells;
    return { term, meaning, name, path: otherRooms.test(file) ? file : `src/${file}` };
  });
}

/** Each term once, in order, in one sentence; each name declared in the file that is named beside it. */
export function glossaryViolations(terms: readonly Term[], files: readonly SourceFile[]): Violation[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return terms.flatMap(({ term, meaning, name, path }, index) => {
    const found: Violation[] = [];
    const before = terms[index - 1]?.term ?? "";
    if (before.localeCompare(term, "en") >= 0) found.push(`${term}: belongs before ${before}`);
    if (!/^[A-Z`](?:(?!\. ).)*\.$/.test(meaning)) found.push(`${term}: its meaning is not one sentence`);
    const text = texts.get(path);
    if (text === undefined) found.push(`${term}: there is no ${path}`);
    else if (!new RegExp(`(?<![\\w.])${name}\\b`).test(text)) found.push(`${term}: ${path} has no ${name}`);
    return found;
  });
}

/** Words that the glossary's words replaced. Each pattern matches whole names or words. */
const retired: readonly [RegExp, string][] = [
  [/\bpok(?:e[sd]?|ing)\b/gi, "wake"],
  [/\burg(?:e[sd]?|ing)\b/gi, "commitNow"],
  [/\bcommitter\.mark\b/g, "commitSoon"],
  [/\bdistrust\w*/gi, "suspendPromises"],
  [/\bdices?\b/gi, "rng"],
  [/weather/gi, "faultRates"],
  [/\bbef[ae]ll?s?\b/gi, "inject"],
  [/patiently/gi, "withRetry"],
  [/\bmayPass\b/g, "retryable"],
  [/\b(?:create|block|unblock)Line\b|\bline-?up\b/gi, "TenantQueue, enterLane"],
  [/\bLogProblem\b|\bisFault\b/g, "Problem, isProblem"],
  [/\b(?:window|parking|track)\.promised\b/g, "attemptedThrough"],
];

export function retiredViolations({ path, text }: SourceFile): Violation[] {
  return retired.flatMap(([pattern, instead]) =>
    [...text.matchAll(pattern)].map(
      (match) => `${path}:${lineAt(text, match.index)}: ${instead} instead of ${match[0]}`,
    ),
  );
}
