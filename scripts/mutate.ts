/**
 * `npm run mutate [-- OPTIONS]`: changes the core in one place at a time and runs the tests, then seeds of the simulation,
 * to see whether one fails. Prints what neither noticed, and its share.
 *
 * Exit codes: 0 the share of survivors is below the limit, 1 it is not, 2 usage.
 */
import { matchesGlob } from "node:path";
import { parseArgs } from "node:util";
import { equivalents } from "./mutate/equivalents.ts";
import { areas } from "./mutate/targets.ts";
import { described, list, type Trial, tryMutants } from "./mutate/trial.ts";

/** More of them find little more: see docs/SIMULATION.md. */
const seedsAtFirst = 200;

const help = `npm run mutate -- [OPTIONS]

Changes src/registrar, src/policy, src/graph/answer.ts and the producer in src/log/kafka in one place at a
time, and says which changes no test and no seed of the simulation noticed. No file is changed on
disk.

  --file GLOB   only these source files (may be repeated), as 'src/registrar/**/*.ts'
  --sample N    this many mutants, chosen by the seed; 'all': every one (default 300)
  --seed S      which ones (default 1)
  --from FILE   of those chosen only the ones from this file on, in the order of --list: continues a run that was
                stopped
  --near        only the test files that are about the mutated file: quick, and stricter
  --simulated N run this many seeds of the simulation on what the tests did not notice; 0: none
                (default ${seedsAtFirst}; with --near 0)
  --jobs N      how many at a time (default 1)
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
  const { globs, sample, seed, from, jobs, near, simulated } = options;
  const trial: Trial = {
    root: process.cwd(),
    areas,
    equivalents,
    isWanted: (file) => globs.length === 0 || globs.some((glob) => matchesGlob(file, glob)),
    sample,
    seed,
    from,
    jobs,
    stagesMax: near ? 1 : 2,
    simulation: simulated === 0 ? null : { entry: "lab/simulation/run-seed.ts", seeds: simulated },
    cpuGraceSeconds: 5,
    progress: (line) => console.error(line),
  };
  const { chosen } = list(trial);
  if (chosen.length === 0) {
    console.error(
      `No mutant in ${[...globs, ...(from === null ? [] : [`--from ${from}`])].join(" ")}. Name source files from the root of the tree, as 'src/registrar/**/*.ts'.`,
    );
    return 2;
  }
  if (options.list) {
    for (const mutant of chosen) console.log(described(mutant));
    return 0;
  }
  const { mutants, equivalent, fates } = await tryMutants(trial);
  const count = (kind: string) => [...fates.values()].filter((fate) => fate.kind === kind).length;
  const [byTests, bySimulation] = [count("killed"), count("simulated")];
  const [refused, survived] = [count("refused"), count("survived")];
  const tried = byTests + bySimulation + survived;
  const percent = (100 * survived) / Math.max(1, tried);
  if (options.json) {
    const survivors = [...fates].filter(([, { kind }]) => kind === "survived").map(([mutant]) => mutant);
    const counts = { mutants, equivalent, refused, byTests, bySimulation, survived };
    console.log(JSON.stringify({ ...counts, percent, survivors }));
  } else {
    for (const [mutant, { kind }] of fates) if (kind === "survived") console.log(described(mutant));
    console.log(
      `${survived} of ${tried} survived: ${percent.toFixed(1)} %. Tests noticed ${byTests}, only the simulation ${bySimulation}. ` +
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
        from: { type: "string" },
        jobs: { type: "string", default: "1" },
        near: { type: "boolean", default: false },
        simulated: { type: "string" },
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
    const { file: globs, near, list, json, help } = values;
    const seeds = values.simulated ?? String(near ? 0 : seedsAtFirst);
    if (!/^\d{1,6}$/.test(seeds))
      return `--simulated ${seeds}: it must be a whole number, 0 for no seeds. See --help.`;
    return {
      ...{ globs, near, list, json, help },
      sample: values.sample === "all" ? null : Number(values.sample),
      seed: Number(values.seed),
      from: values.from ?? null,
      jobs: Number(values.jobs),
      simulated: Number(seeds),
    };
  } catch (error) {
    return `${error instanceof Error ? error.message : error} See --help.`;
  }
}
