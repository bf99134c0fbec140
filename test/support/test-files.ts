/** Which test files there are, which run in one process, and in which order. */
import { globSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";

export interface Selection {
  readonly files: readonly string[];
  readonly namePatterns: readonly string[];
}

export type Selected = ({ readonly ok: true } & Selection) | { readonly ok: false; readonly message: string };

/**
 * A filter that is part of a test file's path selects files; any other is a pattern for test names, unless it is plain that a file
 * or a folder was meant: then it is refused, rather than taken for a name that no test has.
 */
export function select(root: string, filters: readonly string[]): Selected {
  const all = globSync("test/**/*.test.ts", { cwd: root }).sort();
  const isPath = (filter: string): boolean => all.some((file) => file.includes(filter));
  const plain = filters.map((filter) => filter.replace(/^\.\//, ""));
  const missing = plain.find((filter) => !isPath(filter) && meansPath(root, filter));
  if (missing !== undefined) return { ok: false, message: noTestFile(all, missing) };
  const paths = plain.filter(isPath);
  const files = paths.length === 0 ? all : all.filter((file) => paths.some((path) => file.includes(path)));
  return {
    ok: true,
    files: files.map((file) => join(root, file)),
    namePatterns: plain.filter((filter) => !isPath(filter)),
  };
}

function meansPath(root: string, filter: string): boolean {
  if (/\.[cm]?[jt]s$/.test(filter) || filter.startsWith("test/")) return true;
  return statSync(join(root, filter), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function noTestFile(all: readonly string[], filter: string): string {
  const folders = filter.replace(/\/$/, "").split("/").slice(0, -1);
  while (folders.length > 0 && !all.some((file) => file.includes(`${folders.join("/")}/`))) folders.pop();
  const above = folders.length === 0 ? "test" : folders.join("/");
  return `no test file was found for ${filter}. Type: npm test -- ${above}/ (all test files below it), or a part of a test file's path or a test's name`;
}

/** By folder, or because it imports the broker support. */
export function usesKafka(root: string, file: string): boolean {
  return foldersOf(root, file).includes("kafka") || /testkit\/broker\.ts"/.test(read(file));
}

/** Brokers beside the one that all share. */
export function startsBrokers(root: string, file: string): boolean {
  return (
    foldersOf(root, file).includes("chaos") ||
    /startOwnBroker|startJavaBroker|(secure|oauth)-broker\.ts"/.test(read(file))
  );
}

/** Starts brokers of its own, containers, a browser, or a whole installation: `npm test` leaves it out, see options.ts. */
export function isHeavy(root: string, file: string): boolean {
  const isOfContainers = foldersOf(root, file).includes("docker");
  const isOther = /\/(chromium|python|helm|netns)\.ts"|startBrokerCluster|"(pack|install)",/.test(read(file));
  return isOfContainers || startsBrokers(root, file) || isOther;
}

export function usesCommands(root: string, file: string): boolean {
  return foldersOf(root, file).includes("chaos") || /from "[^"]*\/run-cli\.ts"/.test(read(file));
}

/**
 * Folders whose tests load the same modules: each module loaded once, they take a fraction of the processor time. A folder's
 * files run in one process, but for those that touch what a process has only one of, or that start others.
 */
const families: readonly (readonly string[])[] = [
  ["test/registrar/"],
  ["test/domain/", "test/policy/", "test/config/", "test/observe/", "test/audit/"],
  ["test/graph/"],
  ["test/emulator/"],
  ["test/server/", "test/index/", "test/tenants/"],
];
const needsOwnProcess =
  /process\.(env|exit|exitCode|on|once|chdir|std\w+)\b|node:(child_process|worker_threads)|\bmock\b|globalThis|(run-cli|broker|chromium)\.ts"/;
/** Where a helper declares them, it can't be seen of which file a test is, so whether each file has one. */
const declaresItsTests = /^import \{[^}]*(?<!type )\b(test|suite|describe|it)\b[^}]*\} from "node:test";$/m;
/** Fewer are not worth it, and alone they are what `node --test` would run. */
const familyMin = 4;

/** A file with a process of its own, or the number of a group. */
export type Lane = readonly (string | number)[];

export interface Plan {
  /** Each list in one process. */
  readonly groups: readonly (readonly string[])[];
  /** What runs beside each other, each in its order; none is empty. */
  readonly lanes: readonly Lane[];
}

/**
 * The longest first, so that none of them is left alone at the end. Those that mostly wait; by seconds on a quiet machine,
 * which `npm test -- --times FILE` tells.
 */
const longestWaits = [
  "test/docker/stack",
  "test/lab/chaos/chaos",
  "test/lab/chaos/cluster",
  // After the other stack of containers has ended.
  "test/docker/documents",
  "test/log/kafka/older-brokers",
  "test/docker/image",
  "test/docs",
  "test/cli/",
  "test/log/kafka/",
];
/** Those that mostly compute; groups go before. */
const longestComputations = [
  "test/server/console/browser",
  "test/package-installed",
  "test/cli/credential-renewal",
  "test/docs",
  "test/upgrades/",
  "test/graph/",
  "test/emulator/python-sdk",
  "test/scripts/",
  "test/lab/",
  "test/cli/",
];

export function planOf(root: string, files: readonly string[]): Plan {
  const free = files.filter((file) => declaresItsTests.test(read(file)) && !needsOwnProcess.test(read(file)));
  const pathOf = (file: string) => relative(root, file).split(sep).join("/");
  const groups = families
    .map((folders) => free.filter((file) => folders.some((folder) => pathOf(file).startsWith(folder))))
    .filter((group) => group.length >= familyMin);
  const grouped = new Set(groups.flat());
  const alone = files.filter((file) => !grouped.has(file));
  const parts = [...groups.keys(), ...alone];
  const rankOf = (part: string | number, order: readonly string[]) => {
    if (typeof part === "number") return -1;
    const rank = order.findIndex((start) => pathOf(part).startsWith(start));
    return rank < 0 ? order.length : rank;
  };
  const lane = (does: boolean, order: readonly string[]): Lane =>
    parts
      .filter((part) => (typeof part === "string" && mostlyWaits(root, part)) === does)
      .toSorted((a, b) => rankOf(a, order) - rankOf(b, order));
  const lanes = [lane(true, longestWaits), lane(false, longestComputations)];
  return { groups, lanes: lanes.filter(({ length }) => length > 0) };
}

/** For containers, brokers and time-outs. */
function mostlyWaits(root: string, file: string): boolean {
  return foldersOf(root, file).includes("docker") || startsBrokers(root, file) || usesKafka(root, file);
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
