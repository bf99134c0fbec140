/** Each house rule on a snippet that breaks it, and on one that comes close without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as rules from "./tidy-rules.ts";

const file = (path: string, text: string): rules.SourceFile => ({ path, text });

for (const code of [
  "const t = Date.now();",
  "const t = new Date();",
  "const r = Math.random;",
  "setTimeout(f, 1);",
  "const i = setInterval(f, 1);",
  "performance.now();",
  "`${Date.now()}`",
]) {
  test(`clocks, randomness and timers are refused everywhere: ${code}`, () => {
    assert.equal(rules.ambientViolations(file("src/a.ts", code), "adapter").length, 1);
    assert.equal(rules.ambientViolations(file("src/a.ts", code), "pure").length, 1);
  });
}

for (const code of ["setImmediate(f);", "queueMicrotask(f);", "fetch(url);", "process.env.A;"]) {
  test(`refused in the core only: ${code}`, () => {
    assert.equal(rules.ambientViolations(file("src/a.ts", code), "pure").length, 1);
    assert.deepEqual(rules.ambientViolations(file("src/a.ts", code), "adapter"), []);
  });
}

for (const code of [
  "// Date.now() is not for here",
  'const text = "Math.random";',
  "clock.nowMs();",
  "new Date(ms).toISOString();",
  "clock.setTimeout(f);",
  "reader.fetch(x);",
]) {
  test(`not mistaken for clock or timer: ${code}`, () => {
    assert.deepEqual(rules.ambientViolations(file("src/a.ts", code), "pure"), []);
  });
}

for (const code of ["let a: any;", "f(x as any);", "const m = new Map<string, any>();", "type A = any[];"]) {
  test(`any is refused: ${code}`, () => {
    assert.equal(rules.anyViolations(file("src/a.ts", code)).length, 1);
  });
}

for (const code of ["AbortSignal.any([a, b]);", "// any order", "const x = { any: 1 };"]) {
  test(`not mistaken for any: ${code}`, () => {
    assert.deepEqual(rules.anyViolations(file("src/a.ts", code)), []);
  });
}

test("default exports and barrels are refused", () => {
  assert.equal(rules.exportViolations(file("src/a.ts", "export default 1;")).length, 1);
  assert.equal(rules.exportViolations(file("src/a.ts", "export { a as default };")).length, 1);
  assert.match(rules.exportViolations(file("src/x/index.ts", "")).join(), /no barrels/);
  const allowed = 'switch (a) { default: b(); } import { default as x } from "y"; // export default';
  assert.deepEqual(rules.exportViolations(file("src/a.ts", allowed)), []);
});

test("unfinished work is refused, in comments too", () => {
  for (const word of ["TO" + "DO", "FIX" + "ME"]) {
    const found = rules.unfinishedViolations(file("src/a.ts", `a;\n// ${word}: later`));
    assert.match(found.join(), /^src\/a\.ts:2: /);
  }
  assert.deepEqual(rules.unfinishedViolations(file("src/a.ts", "const todo = methodology;")), []);
});

test("console is refused, in strings and comments allowed", () => {
  assert.equal(rules.consoleViolations(file("src/a.ts", "console.error(1);")).length, 1);
  assert.deepEqual(rules.consoleViolations(file("src/a.ts", '"console.log"; // console.log')), []);
});

test("a file begins with a doc comment", () => {
  assert.equal(rules.headerViolations(file("src/a.ts", "import x from 'y';\n/** late */")).length, 1);
  assert.equal(rules.headerViolations(file("src/a.ts", "// not a doc comment")).length, 1);
  assert.deepEqual(rules.headerViolations(file("src/a.ts", "/** what */")), []);
  assert.deepEqual(rules.headerViolations(file("src/a.ts", "#!/usr/bin/env node\n/** what */")), []);
});

test("a file has a limit of lines", () => {
  assert.equal(rules.lengthViolations(file("src/a.ts", "x\n".repeat(4)), 3).length, 1);
  assert.deepEqual(rules.lengthViolations(file("src/a.ts", "x\n".repeat(3)), 3), []);
});

// Put together from parts, so that this file itself holds none of them.
for (const text of [
  `cd /${"work"}/main`,
  `cat "/${"tmp"}/x"`,
  `https://${"registry"}.example.org/x`,
  `https://${"repo1"}.example.org/maven2`,
  `"${"resolved"}": "https://x"`,
]) {
  test(`foreign to other machines: ${text}`, () => {
    const found = rules.foreignViolations(file("a.md", `first\n${text}`), false);
    assert.equal(found.length, 1);
    assert.match(found.join(), /^a\.md:2: /);
  });
}

test("paths and words that only look foreign are allowed", () => {
  for (const text of [
    `src/${"work"}/a.ts`,
    `./${"work"}/x`,
    "the registry. It",
    "node_modules/tmp",
    "a proxy.",
    "npm.md",
  ]) {
    assert.deepEqual(rules.foreignViolations(file("a.md", text), false), [], text);
  }
  assert.deepEqual(rules.foreignViolations(file("Dockerfile", `VOLUME /${"tmp"}`), true), []);
});

test("a core file is imported by a test, or declared", () => {
  const files = [
    file("src/domain/a.ts", ""),
    file("src/domain/b.ts", ""),
    file("src/log/kafka/c.ts", ""),
    file("test/domain/x.test.ts", `import { a } from "../../src/domain/a.ts";`),
    file("test/domain/types.test.ts", `import type { B } from "../../src/domain/b.ts";`),
    file("test/domain/helper.ts", `import { b } from "../../src/domain/b.ts";`),
  ];
  const own = "test/domain/x.test.ts";
  const check = (declared: Record<string, string>): string[] =>
    rules.untestedViolations(files, ["domain"], declared);
  assert.deepEqual(check({}), ["src/domain/b.ts:1: no test imports it: write test/domain/b.test.ts"]);
  assert.deepEqual(check({ "src/domain/b.ts": own }), []);
  assert.equal(check({ "src/domain/b.ts": own, "src/domain/a.ts": own }).length, 1);
  assert.equal(check({ "src/domain/b.ts": own, "src/domain/gone.ts": own }).length, 1);
  assert.equal(check({ "src/domain/b.ts": "test/domain/gone.test.ts" }).length, 1);
});

for (const code of [
  "await import(new URL(name, base).href);",
  "await import(`./${name}.ts`);",
  "await import(path);",
  'readFileSync(new URL("../x", import.meta.url));',
  'join(import.meta.dirname, "..");',
  "const require = createRequire(here);",
]) {
  test(`what rules about imports don't see is refused: ${code}`, () => {
    assert.equal(rules.computedViolations(file("src/a.ts", code)).length, 1);
  });
}

for (const code of [
  'await import("./a.ts");',
  'const place = import.meta.resolve("#package.json");',
  "// import(path)",
  "retry.require(x);",
]) {
  test(`imports by literal are allowed: ${code}`, () => {
    assert.deepEqual(rules.computedViolations(file("src/a.ts", code)), []);
  });
}

// Put together from parts: this file cites none.
const invariant = (name: string): string => `INV${name}`;
const cited = invariant("-ONE");

test("the invariants of a page are those with which a row begins", () => {
  const page = `# ${invariant("-NO-ROW")}\n| name | x |\n|---|---|\n| \`${cited}\` | beside \`${invariant("-OTHER")}\` |\n`;
  assert.deepEqual(rules.listedInvariants(page), [cited]);
});

test("an invariant that is kept and tested is cited in src and in a test", () => {
  const kept = file("src/a.ts", `/** What. */\nkeep(); // ${cited}`);
  const tested = file("test/a.test.ts", `// ${cited}\ntest();`);
  const check = (...files: rules.SourceFile[]) => rules.invariantViolations(files, [cited]);
  assert.deepEqual(check(kept, tested), []);
  assert.deepEqual(check(tested), [`${cited}: cite it in src, at the line that keeps it`]);
  const onlyHeader = file("src/a.ts", `/** ${cited}: what. */\nkeep();`);
  assert.deepEqual(check(onlyHeader, tested), [`${cited}: cite it in src, at the line that keeps it`]);
  assert.deepEqual(check(kept), [`${cited}: cite it at the test that fails without it`]);
  assert.deepEqual(rules.invariantViolations([kept, tested], [cited, cited]), [
    `${cited}: it is listed twice`,
  ]);
});

for (const path of ["src/b.ts", "test/b.test.ts", "docs/b.md"]) {
  test(`an invariant that is not listed is refused in ${path}, in a header too`, () => {
    const found = rules.invariantViolations([file(path, `/** What.\n * ${invariant("-TWO")} */`)], []);
    assert.deepEqual(found, [`${path}:2: ${invariant("-TWO")} is not in the list of docs/SEMANTICS.md`]);
  });
}
