/** Which test files there are, which run in one process, and in which order. */
import { globSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

export interface Selection {
  readonly files: readonly string[];
  readonly namePatterns: readonly string[];
}

/** A filter that is part of a test file's path selects files; any other is a pattern for test names. */
export function select(root: string, filters: readonly string[]): Selection {
  const all = globSync("test/**/*.test.ts", { cwd: root }).sort();
  const isPath = (filter: string): boolean => all.some((file) => file.includes(filter));
  const paths = filters.map((filter) => filter.replace(/^\.\//, "")).filter(isPath);
  const selected = paths.length === 0 ? all : all.filter((file) => paths.some((path) => file.includes(path)));
  return {
    files: selected.map((file) => join(root, file)),
    namePatterns: filters.filter((filter) => !isPath(filter.replace(/^\.\//, ""))),
  };
}

/** By folder, or because it imports the broker support. */
export function usesKafka(root: string, file: string): boolean {
  return foldersOf(root, file).includes("kafka") || /from "[^"]*\/broker\.ts"/.test(read(file));
}

/** Brokers beside the one that all share. */
export function startsBrokers(root: string, file: string): boolean {
  return (
    foldersOf(root, file).includes("chaos") || /startOwnBroker|(secure|oauth)-broker\.ts"/.test(read(file))
  );
}

export function usesCommands(root: string, file: string): boolean {
  return foldersOf(root, file).includes("chaos") || /from "[^"]*\/run-cli\.ts"/.test(read(file));
}

/**
 * Tests of pure code, which load the same modules: each loaded once, they take a fraction of the processor time. Their files
 * touch nothing that a process has only one of.
 */
const together = ["test/domain/", "test/policy/", "test/registrar/"];
const touchesProcess =
  /process\.(env|exit|exitCode|on|once|chdir)\b|node:(child_process|worker_threads)|\bmock\b|globalThis/;

export interface Plan {
  /** Each in a process of its own. */
  readonly alone: readonly string[];
  /** Each list in one process. */
  readonly groups: readonly (readonly string[])[];
}

export function planOf(root: string, files: readonly string[], groupCount: number): Plan {
  const isPure = (file: string) =>
    together.some((folder) => relative(root, file).split(sep).join("/").startsWith(folder)) &&
    !touchesProcess.test(read(file));
  const pure = files.filter(isPure);
  // A few files are not worth it, and alone they are what `node --test` would run.
  if (pure.length < 2 * groupCount) return { alone: inOrder(root, files), groups: [] };
  return {
    alone: inOrder(
      root,
      files.filter((file) => !isPure(file)),
    ),
    groups: Array.from({ length: groupCount }, (_, n) => pure.filter((_file, at) => at % groupCount === n)),
  };
}

/**
 * What waits for containers, brokers and time-outs in turn with what computes, so that neither all wait nor all compute at once.
 * The longest waits come first, so that none of them is left alone at the end.
 */
function inOrder(root: string, files: readonly string[]): string[] {
  const waiting = ["docker", "chaos", "kafka"];
  const rank = (file: string): number =>
    waiting.findIndex((folder) => foldersOf(root, file).includes(folder));
  const waits = files.filter((file) => rank(file) >= 0).toSorted((a, b) => rank(a) - rank(b));
  const computes = files.filter((file) => rank(file) < 0);
  return Array.from({ length: Math.max(waits.length, computes.length) }, (_, n) =>
    [waits[n], computes[n]].filter((file) => file !== undefined),
  ).flat();
}

/** The source of a module that runs these files. */
export function groupSource(urls: readonly string[]): string {
  return urls.map((url) => `import ${JSON.stringify(url)};\n`).join("");
}

function foldersOf(root: string, file: string): string[] {
  return relative(root, file).split(sep);
}

const texts = new Map<string, string>();

function read(file: string): string {
  const text = texts.get(file) ?? readFileSync(file, "utf8");
  texts.set(file, text);
  return text;
}
