/** The house rules as pure functions from files to violations. test/tidy.test.ts applies them to the tree. */
import { posix } from "node:path";
import { blank, importsOf, lineAt } from "./ts-text.ts";

export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Where, and what to do about it, in one line: `src/a.ts:3: ...`. */
export type Violation = string;

/** A folder of src, or a file of it without `.ts`: `registrar`, `ports`. */
export function layerOf(path: string): string {
  const [, first = ""] = path.split("/");
  return first.replace(/\.ts$/, "");
}

const ambient: readonly [RegExp, string][] = [
  [/\bDate\.now\b/g, "Date.now"],
  [/\bnew Date\(\s*\)/g, "new Date()"],
  [/\bMath\.random\b/g, "Math.random"],
  [/\bperformance\.now\b/g, "performance.now"],
  [/(?<![.\w])set(?:Timeout|Interval)\b/g, "a timer"],
];
const impure: readonly [RegExp, string][] = [
  ...ambient,
  [/(?<![.\w])(?:setImmediate|queueMicrotask|fetch)\b/g, "the event loop or the network"],
  [/(?<![.\w])process\./g, "the process"],
];

/** Clocks, randomness and timers come in through ports.ts. "pure" files see neither event loop nor process. */
export function ambientViolations(file: SourceFile, kind: "pure" | "adapter"): Violation[] {
  const code = blank(file.text, "blank");
  return find(
    { ...file, text: code },
    kind === "pure" ? impure : ambient,
    "take it from ports.ts instead of using",
  );
}

/**
 * What no rule about imports sees: a module or a file that is found by a computed path. Data beside the code is found
 * through package.json's `imports`.
 */
export function computedViolations(file: SourceFile): Violation[] {
  return find(
    { ...file, text: blank(file.text, "keep") },
    [
      [/(?<![.\w])import\(\s*(?!["'])/g, "a computed import"],
      [/\bimport\.meta\.(?:url|dirname|filename)\b/g, "the place of the file"],
      [/\bcreateRequire\b|(?<![.\w])require\(/g, "require"],
    ],
    "import by a literal instead of using",
  );
}

export function anyViolations(file: SourceFile): Violation[] {
  const code = blank(file.text, "blank");
  return find(
    { ...file, text: code },
    [[/(?<![.\w$])any\b(?!\s*[:(?.=])/g, "any"]],
    "write a type instead of",
  );
}

export function exportViolations(file: SourceFile): Violation[] {
  const code = blank(file.text, "blank");
  const found = find(
    { ...file, text: code },
    [[/\bexport\s+default\b|\bas\s+default\b/g, "default"]],
    "export a name instead of",
  );
  if (/(^|\/)index\.ts$/.test(file.path))
    found.push(`${file.path}:1: no barrels: name the file for what is in it`);
  return found;
}

export function unfinishedViolations(file: SourceFile): Violation[] {
  return find(file, [[/\b(?:TO[D]O|FIX[M]E|X[X]X)\b/g, "a note"]], "finish it or write an issue, without");
}

export function consoleViolations(file: SourceFile): Violation[] {
  return find(
    { ...file, text: blank(file.text, "blank") },
    [[/\bconsole\./g, "console"]],
    "tell the observer instead of using",
  );
}

export function headerViolations(file: SourceFile): Violation[] {
  return /^(#![^\n]*\n)?\/\*\*/.test(file.text)
    ? []
    : [`${file.path}:1: begin with a doc comment that says what the file is for`];
}

export function lengthViolations(file: SourceFile, maxLines: number): Violation[] {
  const lines = file.text.replace(/\n$/, "").split("\n").length;
  return lines <= maxLines
    ? []
    : [`${file.path}:${maxLines}: ${lines} lines; split it, ${maxLines} is the limit`];
}

// A letter in brackets keeps a pattern from matching itself.
const foreign: readonly [RegExp, string][] = [
  [/(?<![\w.~)}-])\/(?:home|root|Users|work)\//g, "a path of one machine"],
  [
    /\b(?:registry|repo[0-9]?|deb|mirrors?|proxy|pypi|npm|artifactory|nexus)\.[a-z0-9-]+\.[a-z]{2,}/g,
    "a registry host",
  ],
  [/"[r]esolved":/g, "a registry address: npm install with omit-lockfile-registry-resolved=true"],
];

const temporary: readonly [RegExp, string] = [
  /(?<![\w.~)}-])\/[t]mp\b/g,
  "a fixed temporary path: ask for one",
];

/** What only means something on the machine where it was written. A container has its own temporary directory. */
export function foreignViolations(file: SourceFile, inContainer: boolean): Violation[] {
  const patterns = inContainer ? foreign : [...foreign, temporary];
  return find(file, patterns, "this must run anywhere, without");
}

/** Each source file of these layers is imported by a test file, or declared with the test file that covers it. */
export function untestedViolations(
  files: readonly SourceFile[],
  layers: readonly string[],
  declared: Readonly<Record<string, string>>,
): Violation[] {
  const sources = files
    .map(({ path }) => path)
    .filter((path) => path.startsWith("src/") && layers.includes(layerOf(path)));
  const tested = new Set(files.filter(({ path }) => path.endsWith(".test.ts")).flatMap(valueImports));
  const untested = sources
    .filter((path) => !tested.has(path) && declared[path] === undefined)
    .map(
      (path) => `${path}:1: no test imports it: write ${path.replace(/^src\/(.*)\.ts$/, "test/$1.test.ts")}`,
    );
  const outdated = Object.keys(declared)
    .filter((path) => !sources.includes(path) || tested.has(path))
    .map((path) => `${path}:1: declared as tested elsewhere, but a test imports it or it is gone`);
  const missing = Object.entries(declared)
    .filter(([, test]) => !files.some(({ path }) => path === test))
    .map(([path, test]) => `${path}:1: declared as tested by ${test}, which is not there`);
  return [...untested, ...outdated, ...missing];
}

function valueImports(file: SourceFile): string[] {
  return importsOf(file.text)
    .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith("."))
    .map(({ specifier }) => posix.join(posix.dirname(file.path), specifier));
}

const invariantName = /\bINV(?:-[A-Z]+)+\b/g;

/** The names that a page lists: those with which a row of a table begins. */
export function listedInvariants(page: string): string[] {
  return [...page.matchAll(/^\| `(INV(?:-[A-Z]+)+)` \|/gm)].map(([, name]) => name!);
}

/**
 * Whatever is cited is listed, and whatever is listed is cited: at a line of code of src, not only in the comment with which a
 * file begins, and in a test.
 */
export function invariantViolations(files: readonly SourceFile[], listed: readonly string[]): Violation[] {
  const citations = files.flatMap((file) => citationsOf(file));
  const unknown = citations
    .filter(({ name }) => !listed.includes(name))
    .map(({ path, line, name }) => `${path}:${line}: ${name} is not in the list of docs/SEMANTICS.md`);
  const isCited = (name: string, where: RegExp) =>
    citations.some((cited) => cited.name === name && !cited.inHeader && where.test(cited.path));
  const uncited = listed.flatMap((name) => [
    ...(isCited(name, /^src\//) ? [] : [`${name}: cite it in src, at the line that keeps it`]),
    ...(isCited(name, /^test\/.*\.test\.ts$/) ? [] : [`${name}: cite it at the test that fails without it`]),
  ]);
  const twice = listed
    .filter((name, at) => listed.indexOf(name) !== at)
    .map((name) => `${name}: it is listed twice`);
  return [...unknown, ...uncited, ...twice];
}

function citationsOf({ path, text }: SourceFile) {
  const headerEnd = /^(?:#![^\n]*\n)?\/\*\*[\s\S]*?\*\//.exec(text)?.[0].length ?? 0;
  return [...text.matchAll(invariantName)].map((match) => ({
    path,
    name: match[0],
    line: lineAt(text, match.index),
    inHeader: match.index < headerEnd,
  }));
}

/** `text`: where it looks, of the file at `path`. */
function find(
  { path, text }: SourceFile,
  patterns: readonly (readonly [RegExp, string])[],
  advice: string,
): Violation[] {
  return patterns.flatMap(([pattern, what]) =>
    [...text.matchAll(pattern)].map((match) => `${path}:${lineAt(text, match.index)}: ${advice} ${what}`),
  );
}
