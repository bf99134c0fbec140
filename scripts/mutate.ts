/**
 * `npm run mutate [-- OPTIONS]`: changes the core in one place at a time and runs the tests, to see whether one fails.
 * Prints what no test noticed, and its share.
 *
 * Exit codes: 0 the share of survivors is below the limit, 1 it is not, 2 usage.
 */
import { matchesGlob } from "node:path";
import { parseArgs } from "node:util";
import { equivalents } from "./mutate/equivalents.ts";
import { areas } from "./mutate/targets.ts";
import { described, list, type Trial, tryMutants } from "./mutate/trial.ts";

const help = `npm run mutate -- [OPTIONS]

Changes src/registrar, src/policy, src/graph/answer.ts and src/kafka/producer*.ts in one place at a
time, and says which changes no test noticed. No file is changed on disk.

  --file GLOB   only these source files (may be repeated), as 'src/registrar/*.ts'
  --sample N    so many mutants, chosen by the seed; 'all': every one (default 300)
  --seed S      which ones (default 1)
  --near        only the test files that are about the mutated file: quick, and stricter
  --jobs N      so many at a time (default 1)
  --list        print the mutants that would be tried, and try none
  --json        print the result as JSON`;

/** Surviving mutants among those that compile, in percent. */
const shareMaxPercent = 5;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = optionsOf(args);
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  if (options.help) {
    console.log(help);
    return 0;
  }
  const { globs, sample, seed, jobs, near } = options;
  const trial: Trial = {
    root: process.cwd(),
    areas,
    equivalents,
    isWanted: (file) => globs.length === 0 || globs.some((glob) => matchesGlob(file, glob)),
    sample,
    seed,
    jobs,
    stagesMax: near ? 1 : 2,
    cpuGraceSeconds: 5,
    progress: (line) => console.error(line),
  };
  const { chosen } = list(trial);
  if (chosen.length === 0) {
    console.error(
      `No mutant in ${globs.join(" ")}. Name source files from the root of the tree, as 'src/registrar/*.ts'.`,
    );
    return 2;
  }
  if (options.list) {
    for (const mutant of chosen) console.log(described(mutant));
    return 0;
  }
  const { mutants, equivalent, fates } = await tryMutants(trial);
  const count = (kind: string) => [...fates.values()].filter((fate) => fate.kind === kind).length;
  const [killed, refused, survived] = [count("killed"), count("refused"), count("survived")];
  const percent = (100 * survived) / Math.max(1, killed + survived);
  if (options.json) {
    const survivors = [...fates].filter(([, { kind }]) => kind === "survived").map(([mutant]) => mutant);
    console.log(JSON.stringify({ mutants, equivalent, refused, killed, survived, percent, survivors }));
  } else {
    for (const [mutant, { kind }] of fates) if (kind === "survived") console.log(described(mutant));
    console.log(
      `${survived} of ${killed + survived} survived: ${percent.toFixed(1)} %. ` +
        `Not counted: ${refused} that the compiler refuses, ${equivalent} listed as equivalent.`,
    );
  }
  return percent < shareMaxPercent ? 0 : 1;
}

function optionsOf(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        file: { type: "string", multiple: true, default: [] },
        sample: { type: "string", default: "300" },
        seed: { type: "string", default: "1" },
        jobs: { type: "string", default: "1" },
        near: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    for (const name of ["sample", "seed", "jobs"] as const) {
      const isAll = name === "sample" && values.sample === "all";
      if (!isAll && !/^[1-9]\d{0,8}$/.test(values[name]))
        return `--${name} ${values[name]}: it must be a whole number from 1 on. See --help.`;
    }
    const sample = values.sample === "all" ? null : Number(values.sample);
    const { file: globs, near, list, json, help } = values;
    return { globs, sample, seed: Number(values.seed), jobs: Number(values.jobs), near, list, json, help };
  } catch (error) {
    return `${error instanceof Error ? error.message : error} See --help.`;
  }
}
