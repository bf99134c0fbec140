/** What is mutated, and which test files should notice it, in the order in which they are tried. */
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";

export interface Area {
  /** Globs from the root of the tree. */
  readonly sources: readonly string[];
  readonly tests: readonly string[];
  /** The simulation runs this code too. */
  readonly isSimulated?: true;
}

/** What never twice and never lost rest on. */
export const areas: readonly Area[] = [
  { sources: ["src/registrar/**/*.ts"], tests: ["test/registrar/**/*.test.ts"], isSimulated: true },
  {
    sources: ["src/policy/*.ts"],
    tests: ["test/policy/*.test.ts", "test/registrar/**/*.test.ts"],
    isSimulated: true,
  },
  { sources: ["src/graph/answer.ts"], tests: ["test/graph/*.test.ts"] },
  {
    sources: [
      "src/log/kafka/produce/producer.ts",
      "src/log/kafka/produce/record-accumulator.ts",
      "src/log/kafka/produce/partition-queue.ts",
    ],
    tests: ["test/log/kafka/produce/*.test.ts"],
  },
];

export interface Target {
  readonly file: string;
  /** In turn: those that are about this file, then all others of the area that load it. */
  readonly stages: readonly (readonly string[])[];
  /** The file and all that load it, and all that register tests. */
  readonly dependents: readonly string[];
  /** The file and all of the simulation that load it; null: the simulation does not run it. */
  readonly simulated: readonly string[] | null;
}

/** `simulation`: the module that runs a seed; null: none. */
export function targetsOf(root: string, from: readonly Area[], simulation: string | null): Target[] {
  const importsOf = memoized((file: string) =>
    file === testing ? [] : importsIn(file, readFileSync(join(root, file), "utf8")),
  );
  return from.flatMap(({ sources, tests, isSimulated }) => {
    const testFiles = listed(root, tests);
    return listed(root, sources).map((file) => {
      const loading = testFiles.filter((test) => reachedFrom(test, importsOf).has(file));
      const near = loading.filter((test) => isNamedAfter(test, file) || importsOf(test).includes(file));
      const rest = loading.filter((test) => !near.includes(test));
      near.sort((a, b) => Number(isNamedAfter(b, file)) - Number(isNamedAfter(a, file)));
      const all = new Set(loading.flatMap((test) => [...reachedFrom(test, importsOf)]));
      const dependents = [...all].filter((one) => {
        const reached = reachedFrom(one, importsOf);
        return one !== testing && (reached.has(file) || reached.has(testing));
      });
      const stages = [near, rest].filter((stage) => stage.length > 0);
      const simulated = isSimulated && simulation !== null ? loadersOf(file, simulation) : [];
      return { file, stages, dependents, simulated: simulated.length > 0 ? simulated : null };
    });
  });

  function loadersOf(file: string, entry: string): string[] {
    return [...reachedFrom(entry, importsOf)].filter((one) => reachedFrom(one, importsOf).has(file));
  }
}

function listed(root: string, globs: readonly string[]): string[] {
  const found = globSync([...globs], { cwd: root }).map((file) => file.replaceAll("\\", "/"));
  return [...new Set(found)].sort();
}

/** `test/a/lease-lost.test.ts` is about `src/a/lease.ts`. */
function isNamedAfter(test: string, file: string): boolean {
  const stem = basename(file, ".ts");
  const name = basename(test, ".test.ts");
  return name === stem || name.startsWith(`${stem}-`);
}

function reachedFrom(file: string, importsOf: (file: string) => readonly string[]): Set<string> {
  const seen = new Set([file]);
  for (const one of seen) for (const next of importsOf(one)) seen.add(next);
  return seen;
}

const testing = "node:test";

/** Relative imports and node:test, types left out: they load nothing. */
function importsIn(file: string, text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from\s+"(\.[^"]+|node:test)"/gm);
  return [...statements].map(([, path]) => (path === testing ? testing : posix.join(dirname(file), path!)));
}

function memoized<T>(read: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (!known.has(key)) known.set(key, read(key));
    return known.get(key)!;
  };
}
