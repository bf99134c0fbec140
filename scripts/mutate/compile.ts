/**
 * Which mutants the compiler refuses: they can't get into the tree, so no test has to notice them. All are checked in
 * one run, each as a file of its own beside the one that it was made of, in a copy of the sources.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { applied, type Mutant } from "./mutants.ts";

export function refusedByCompiler(
  root: string,
  mutants: readonly Mutant[],
  textOf: (file: string) => string,
): Set<Mutant> {
  const copy = mkdtempSync(join(tmpdir(), "mutate-"));
  try {
    cpSync(join(root, "src"), join(copy, "src"), { recursive: true });
    cpSync(join(root, "package.json"), join(copy, "package.json"));
    cpSync(join(root, "tsconfig.json"), join(copy, "tsconfig.base.json"));
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const byPath = new Map<string, Mutant>(
      mutants.map((mutant, n) => [`${dirname(mutant.file)}/mutant-${n}.ts`, mutant]),
    );
    for (const [path, mutant] of byPath)
      writeFileSync(join(copy, path), applied(textOf(mutant.file), mutant));
    // What is no longer used is no fault here: who takes a defence out takes its imports out too.
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
    const config = { extends: "./tsconfig.base.json", compilerOptions, include: ["src"] };
    writeFileSync(join(copy, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout, status } = spawnSync(process.execPath, [compiler, "-p", copy, "--pretty", "false"], {
      cwd: copy,
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
    });
    if (status === null) throw new Error("the compiler was ended by a signal");
    const refused = new Set<Mutant>();
    for (const line of stdout.split("\n")) {
      const path = /^(\S+\.ts)\(\d+,\d+\): error /.exec(line)?.[1];
      if (path === undefined) continue;
      const mutant = byPath.get(path);
      if (mutant === undefined) throw new Error(`without any mutation the compiler refuses: ${line}`);
      refused.add(mutant);
    }
    return refused;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
