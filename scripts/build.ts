/**
 * `npm run build [-- --only PROGRAM ...] [--outdir FOLDER]`: the programs as bundles in dist/, each with the packages that it needs: `product` (what
 * the image runs), `emulator`, `package` (what the npm package installs). Why bundles: docs/adr/0010-bundles.md.
 *
 * A program's files share no chunk with another's, so that each can be shipped without the others. What is loaded only when it
 * is needed (`import()`) stays a file of its own. Beside them: the licences of the packages inside, and a bill of materials.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, type Metafile } from "esbuild";
import { writePackages } from "./build/packages.ts";

const root = join(import.meta.dirname, "..");

export type Program = "product" | "emulator" | "package";

/** By name: the entry, from the root of the tree. */
export const programs: Readonly<Record<Program, string>> = {
  product: "src/cli/main.ts",
  emulator: "emulator/main.ts",
  package: "demo/main.ts",
};

/** Packages that are CommonJS expect these of their surroundings. */
const commonJs = `
import { createRequire as bundleCreateRequire } from "node:module";
import { dirname as bundleDirname } from "node:path";
import { fileURLToPath as bundleFileURLToPath } from "node:url";
const require = bundleCreateRequire(import.meta.url);
const __filename = bundleFileURLToPath(import.meta.url);
const __dirname = bundleDirname(__filename);
`.replaceAll("\n", " ");

export async function buildPrograms(names: readonly Program[], outdir: string): Promise<void> {
  const outcomes = await Promise.all(names.map((name) => bundle(programs[name], outdir)));
  const inputs = outcomes.flatMap(({ inputs }) => Object.keys(inputs));
  writePackages(root, inputs, outdir);
}

async function bundle(entry: string, outdir: string): Promise<Metafile> {
  const folder = dirname(entry).split("/")[0]!;
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outbase: ".",
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: `${folder}/chunks/[name]-[hash]`,
    format: "esm",
    platform: "node",
    target: "node24",
    banner: { js: commonJs },
    // Names of functions and classes stand in stack traces, and some packages read them.
    keepNames: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  return metafile;
}

/** What the package offers to consumers of the topics, with its types. It has no imports. */
async function buildEvents(outdir: string): Promise<void> {
  const entry = join(root, "src/events.ts");
  await build({ entryPoints: [entry], outdir, format: "esm", target: "es2022", logLevel: "warning" });
  const compiler = ["--ignoreConfig", "--target", "es2022", "--module", "nodenext", "--strict"];
  const declarations = ["--declaration", "--emitDeclarationOnly", "--outDir", outdir, entry];
  const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  execFileSync("tsc", [...compiler, ...declarations], {
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { only: { type: "string", multiple: true }, outdir: { type: "string", default: "dist" } },
  });
  const names = values.only ?? Object.keys(programs);
  const unknown = names.filter((name) => !(name in programs));
  if (unknown.length > 0) {
    console.error(`No program ${unknown.join(", ")}. Type one of: ${Object.keys(programs).join(", ")}`);
    process.exitCode = 2;
  } else {
    const outdir = resolve(root, values.outdir);
    rmSync(outdir, { recursive: true, force: true });
    await buildPrograms(names as Program[], outdir);
    if (names.includes("package")) await buildEvents(outdir);
  }
}
