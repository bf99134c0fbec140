/** The mutation tester on a small tree: it notices what a test notices, and nothing else. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { equivalents } from "../../scripts/mutate/equivalents.ts";
import { applied, mutantsOf } from "../../scripts/mutate/mutants.ts";
import * as standIn from "../../scripts/mutate/node-test.ts";
import { areas, targetsOf } from "../../scripts/mutate/targets.ts";
import { list, type Trial, tryMutants } from "../../scripts/mutate/trial.ts";

const root = join(import.meta.dirname, "..", "..");

const source = `export function isWithin(value: number, limit: number): boolean {
  return value <= limit;
}
`;
const testing = (body: string) => `import assert from "node:assert/strict";
import { test } from "node:test";
import { isWithin } from "../src/limit.ts";

test("the limit", async () => {
  ${body}
});
`;
const whole = "assert.deepEqual([isWithin(2, 3), isWithin(3, 3), isWithin(4, 3)], [true, true, false]);";
/** Without what it asserts of the limit itself. */
const weak = "assert.deepEqual([isWithin(2, 3), isWithin(4, 3)], [true, false]);";

function given(t: TestContext, files: Readonly<Record<string, string>>): Trial {
  const tree = mkdtempSync(join(tmpdir(), "mutate-test-"));
  t.after(() => rmSync(tree, { recursive: true, force: true }));
  for (const name of ["package.json", "tsconfig.json"]) cpSync(join(root, name), join(tree, name));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return {
    root: tree,
    areas: [{ sources: ["src/*.ts"], tests: ["test/*.test.ts"] }],
    equivalents: [],
    isWanted: () => true,
    sample: null,
    seed: 1,
    from: null,
    jobs: 1,
    stagesMax: 2,
    simulation: null,
    cpuGraceSeconds: 0.5,
    progress: () => {},
  };
}

/** `line: change: fate`. */
async function fates(trial: Trial): Promise<string[]> {
  const result = await tryMutants(trial);
  return [...result.fates].map(([{ line, change }, { kind }]) => `${line}: ${change}: ${kind}`).sort();
}

describe("a mutant", () => {
  test("is killed where an assertion notices it, and survives where that assertion is taken out", async (t) => {
    const refused = "2: return value <= limit; -> (removed): refused";
    const noticed = given(t, { "src/limit.ts": source, "test/limit.test.ts": testing(whole) });
    assert.deepEqual(await fates(noticed), [refused, "2: value <= limit -> value < limit: killed"]);
    const unnoticed = given(t, { "src/limit.ts": source, "test/limit.test.ts": testing(weak) });
    assert.deepEqual(await fates(unnoticed), [refused, "2: value <= limit -> value < limit: survived"]);
  });

  test("is killed by a test of another file that only loads it through a third", async (t) => {
    const trial = given(t, {
      "src/limit.ts": source,
      "src/user.ts":
        'import { isWithin } from "./limit.ts";\nexport const isSmall = (n: number) => isWithin(n, 9);\n',
      "test/limit.test.ts": testing(weak),
      "test/other.test.ts": `import assert from "node:assert/strict";
import { test } from "node:test";
import { isSmall } from "../src/user.ts";
test("nine is small", () => assert.ok(isSmall(9)));
`,
    });
    const limit = { ...trial, isWanted: (file: string) => file === "src/limit.ts" };
    assert.ok((await fates(limit)).includes("2: value <= limit -> value < limit: killed"));
    const near = await fates({ ...limit, stagesMax: 1 });
    assert.ok(near.includes("2: value <= limit -> value < limit: survived"));
  });

  test("that never ends, that ends the process, or for which a test waits without end, is killed; the next one is tried", async (t) => {
    const trial = given(t, {
      "src/limit.ts": `export function isWithin(value: number, limit: number): boolean {
  let left = value;
  while (left > 0) left--;
  return value <= limit;
}
export function soon(isNow: boolean, done: () => void): void {
  if (!isNow) process.exit(3);
  done();
}
`,
      "test/limit.test.ts": testing(`assert.equal(isWithin(2, 3), true);
  await new Promise<void>((resolve) => soon(true, resolve));`).replace("isWithin }", "isWithin, soon }"),
    });
    const found = await fates(trial);
    for (const killed of [
      "3: left-- -> left++: killed",
      "7: if (!isNow) -> if (true): killed",
      "8: done(); -> (removed): killed",
    ])
      assert.ok(found.includes(killed), `${killed} is not in ${found.join("; ")}`);
    assert.ok(found.includes("4: value <= limit -> value < limit: survived"));
  });

  test("that is listed as equivalent is not tried; an entry that names no mutant is an error", async (t) => {
    const trial = given(t, { "src/limit.ts": source, "test/limit.test.ts": testing(weak) });
    const entry = {
      file: "src/limit.ts",
      line: "return value <= limit;",
      change: "value <= limit -> value < limit",
      why: "for this test",
    };
    const result = await tryMutants({ ...trial, equivalents: [entry] });
    assert.deepEqual([result.equivalent, result.fates.size], [1, 1]);
    const stale = { ...entry, line: "return value <= bound;" };
    await assert.rejects(tryMutants({ ...trial, equivalents: [stale] }), /no such mutant is left.*\n.*bound/);
  });
});

describe("the simulation", () => {
  /** One seed in three looks at the limit itself. */
  const entry = "sim/run-seed.ts";
  const files = {
    "src/limit.ts": source,
    "test/limit.test.ts": testing(weak),
    "sim/world.ts":
      'import { isWithin } from "../src/limit.ts";\nexport const holds = (n: number) => isWithin(n, 3);\n',
    [entry]: `import { holds } from "./world.ts";
export async function runSeed(seed: number) {
  return { problems: seed % 3 !== 0 || holds(seed) ? [] : ["the limit does not hold"] };
}
`,
  };
  const change = "value <= limit -> value < limit";
  const given3 = (t: TestContext): Trial => ({
    ...given(t, files),
    areas: [{ sources: ["src/*.ts"], tests: ["test/*.test.ts"], isSimulated: true }],
  });

  test("tries what the tests did not notice, up to the first seed that fails, and is counted apart", async (t) => {
    const trial = given3(t);
    const byOf = async (seeds: number) => {
      const { fates } = await tryMutants({ ...trial, simulation: { entry, seeds } });
      return [...fates].find(([mutant]) => mutant.change === change)![1];
    };
    assert.deepEqual(await byOf(2), { kind: "survived" });
    assert.deepEqual(await byOf(5), { kind: "simulated", by: "seed 3: the limit does not hold" });
  });

  test("is not asked where a test noticed, nor for an area that it does not run", async (t) => {
    const simulation = { entry, seeds: 5 };
    const trial = { ...given3(t), simulation };
    writeFileSync(join(trial.root, "test", "whole.test.ts"), testing(whole));
    assert.ok((await fates(trial)).includes(`2: ${change}: killed`));
    const other = { ...given(t, files), simulation };
    assert.ok((await fates(other)).includes(`2: ${change}: survived`));
  });

  test("that fails without any mutation is an error, which names the seed", async (t) => {
    const simulation = { entry, seeds: 6 };
    await assert.rejects(
      tryMutants({ ...given3(t), simulation }),
      /without any mutation this fails: seed 6: the limit does not hold/,
    );
  });
});

test("tests that fail without any mutation, or that no file is loaded by, prove nothing: an error", async (t) => {
  const failing = given(t, {
    "src/limit.ts": source,
    "test/limit.test.ts": testing("assert.ok(isWithin(9, 3));"),
  });
  await assert.rejects(tryMutants(failing), /without any mutation this fails: the limit/);
  const unloaded = given(t, {
    "src/limit.ts": source,
    "src/other.ts": source,
    "test/limit.test.ts": testing(whole),
  });
  await assert.rejects(tryMutants(unloaded), /src\/other\.ts: no test file loads it/);
});

describe("mutants of a text", () => {
  const table: [what: string, text: string, changes: string[]][] = [
    ["comparison", "f(a < b);", ["f(a < b); -> (removed)", "a < b -> a <= b"]],
    ["either side", "const x = a && b;", ["a && b -> a", "a && b -> b"]],
    ["default", "const x = a ?? b;", ["a ?? b -> a", "a ?? b -> b"]],
    ["condition", "if (a) b = 1;", ["if (a) -> if (true)", "if (a) -> if (false)", "b = 1; -> (removed)"]],
    ["negation", "const x = !a;", ["!a -> a"]],
    ["extremes", "const x = Math.min(a, b);", [".min -> .max"]],
    ["filter", "const x = list.filter(isGood);", ["list.filter(isGood) -> list"]],
    ["arrow", "const x = () => f();", ["f() -> {}"]],
    ["types stay", "const x: T = (a as number) + b!;", ["(a as number) + b -> (a as number) - b"]],
    ["the same twice", "const x = [true, true];", ["true -> false", "true -> false (2)"]],
    ["texts are left", "const x = `${a}` + 'b';", []],
    ["assertions are left", "assert(a === b);", []],
    ["comments are left", "const x = a /* < */ < b; // c < d", ["a /* < */ < b -> a /* < */ <= b"]],
  ];
  for (const [what, text, changes] of table)
    test(what, () => {
      const mutants = mutantsOf("a.ts", text);
      assert.deepEqual(
        mutants.map(({ change }) => change),
        changes,
      );
      for (const mutant of mutants) assert.notEqual(applied(text, mutant), text);
    });
});

test("a sample is the same for the same seed, another for another, and in the order of the files", () => {
  const choice = {
    root,
    areas,
    equivalents,
    isWanted: (file: string) => file.startsWith("src/policy/"),
    from: null,
    simulation: null,
  };
  const choose = (seed: number) => list({ ...choice, sample: 50, seed }).chosen;
  assert.equal(choose(1).length, 50);
  assert.deepEqual(choose(1), choose(1));
  assert.notDeepEqual(choose(1), choose(2));
  const all = list({ ...choice, sample: null, seed: 1 }).chosen.map(({ file, start }) => `${file} ${start}`);
  const places = choose(1).map(({ file, start }) => all.indexOf(`${file} ${start}`));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  const from = choose(1)[20]!.file;
  const rest = choose(1).filter(({ file }) => file >= from);
  assert.ok(rest.length < 50);
  assert.deepEqual(list({ ...choice, sample: 50, seed: 1, from }).chosen, rest);
  assert.deepEqual(list({ ...choice, sample: 50, seed: 1, from: "src/policy/no-such.ts" }).chosen, []);
});

test("everything that is to be mutated is loaded by a test, the core by the simulation, and every listed equivalent is still there", () => {
  const simulation = { entry: "lab/simulation/run-seed.ts", seeds: 1 };
  const everything = list({
    root,
    areas,
    equivalents,
    isWanted: () => true,
    sample: null,
    seed: 1,
    from: null,
    simulation,
  });
  assert.ok(everything.chosen.length > 1_000);
  const mutated = new Set(everything.chosen.map(({ file }) => file));
  const unloaded = everything.targets.filter(({ file, stages }) => mutated.has(file) && stages.length === 0);
  assert.deepEqual(unloaded, []);
  const simulated = everything.targets.filter((target) => target.simulated !== null).map(({ file }) => file);
  const core = [...mutated].filter((file) => /^src\/(registrar|policy)\//.test(file));
  assert.deepEqual(simulated.filter((file) => mutated.has(file)).sort(), core.sort());
});

test("what stands in for node:test has all that the tests of the mutated files import of it", () => {
  const files = new Set(targetsOf(root, areas, null).flatMap(({ stages }) => stages.flat()));
  const imported = new Map<string, string>();
  for (const file of files)
    for (const [, names] of readFileSync(join(root, file), "utf8").matchAll(
      /^import \{([^}]+)\} from "node:test";$/gm,
    ))
      for (const name of names!.split(",").map((each) => each.trim()))
        if (name !== "" && !name.startsWith("type ")) imported.set(name, file);
  assert.ok(imported.has("test") && imported.has("suite"));
  const lacking = [...imported].filter(([name]) => !(name in standIn));
  assert.deepEqual(lacking, []);
});
