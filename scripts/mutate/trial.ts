/**
 * Tries mutants, one after the other, and says what became of each. First against the tests; what these do not notice,
 * and the simulation runs, against a number of its seeds.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refusedByCompiler } from "./compile.ts";
import { applied, type Mutant, mutantsOf } from "./mutants.ts";
import { type Area, type Target, targetsOf } from "./targets.ts";
import { createTestProcess, type TestProcess } from "./test-process.ts";
import type { Job, JobResult, Seeds } from "./test-server.ts";

/** A mutant that changes nothing that matters, and why not. Names the mutant as long as its line stays the same. */
export interface Equivalent {
  readonly file: string;
  /** The source line, trimmed. */
  readonly line: string;
  /** As printed: `before -> after`. */
  readonly change: string;
  readonly why: string;
}

/** By the path of the source file. */
export type EquivalentsByFile = Readonly<Record<string, readonly Omit<Equivalent, "file">[]>>;

export interface Trial {
  readonly root: string;
  readonly areas: readonly Area[];
  readonly equivalents: readonly Equivalent[];
  /** Is this source file to be mutated? */
  readonly isWanted: (file: string) => boolean;
  /** How many mutants, chosen by the seed; null: all. */
  readonly sample: number | null;
  readonly seed: number;
  /** Of those chosen only the ones of this file and of the files after it; null: all. */
  readonly from: string | null;
  readonly jobs: number;
  /** 1: only the test files that are about the mutated file. */
  readonly stagesMax: number;
  readonly simulation: Simulated | null;
  /** Processor time that a run may use beyond three times what it uses without a mutation. */
  readonly cpuGraceSeconds: number;
  readonly progress: (line: string) => void;
}

export interface Simulated {
  /** The module whose `runSeed` runs a seed. */
  readonly entry: string;
  /** From seed 1 on. */
  readonly seeds: number;
}

/** What decides which mutants are tried. */
export type Choice = Pick<
  Trial,
  "root" | "areas" | "equivalents" | "isWanted" | "sample" | "seed" | "from" | "simulation"
>;

export type Fate =
  | { readonly kind: "killed"; readonly by: string }
  /** The simulation noticed it, and no test did. */
  | { readonly kind: "simulated"; readonly by: string }
  | { readonly kind: "refused" }
  | { readonly kind: "survived" };

export interface TrialResult {
  readonly mutants: number;
  readonly equivalent: number;
  readonly fates: ReadonlyMap<Mutant, Fate>;
}

export function list({ root, areas, equivalents, isWanted, sample, seed, from, simulation }: Choice) {
  const targets = targetsOf(root, areas, simulation?.entry ?? null).filter(({ file }) => isWanted(file));
  const texts = new Map(targets.map(({ file }) => [file, readFileSync(join(root, file), "utf8")]));
  const all = targets.flatMap(({ file }) => mutantsOf(file, texts.get(file)!));
  const listed = equivalents.filter(({ file }) => texts.has(file));
  const lost = listed.filter((entry) => !all.some((mutant) => isListed(mutant, entry)));
  if (lost.length > 0) {
    const lines = lost.map(({ file, line, change }) => `${file}: ${line}: ${change}`);
    throw new Error(`accepted as equivalent, but no such mutant is left:\n${lines.join("\n")}`);
  }
  const open = all.filter((mutant) => !listed.some((entry) => isListed(mutant, entry)));
  const sampled = sample === null ? open : chooseSome(open, sample, seed);
  const files = targets.map(({ file }) => file);
  const first = from === null ? 0 : files.indexOf(from);
  const chosen = first < 0 ? [] : sampled.filter(({ file }) => files.indexOf(file) >= first);
  return { targets, texts, chosen, mutants: all.length, equivalent: all.length - open.length };
}

export async function tryMutants(trial: Trial): Promise<TrialResult> {
  const { targets, texts, chosen, mutants, equivalent } = list(trial);
  const { root, progress, jobs } = trial;
  const scratch = mkdtempSync(join(tmpdir(), "mutate-"));
  try {
    progress(
      `${mutants} mutants in ${targets.length} files, ${equivalent} listed as equivalent, ${chosen.length} to be tried`,
    );
    const fates = new Map<Mutant, Fate>();
    for (const mutant of refusedByCompiler(root, chosen, (file) => texts.get(file)!))
      fates.set(mutant, { kind: "refused" });
    const open = chosen.filter((mutant) => !fates.has(mutant));
    progress(`${fates.size} are refused by the compiler, ${open.length} go to the tests`);
    const files = new Set(open.map(({ file }) => file));
    const first = createTestProcess(scratch);
    const plans = await measured(
      trial,
      targets.filter(({ file }) => files.has(file)),
      first,
    ).finally(first.close);
    const queue = [...open];
    const work = async (): Promise<void> => {
      const process = createTestProcess(scratch);
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const changed = { file: mutant.file, text: applied(texts.get(mutant.file)!, mutant) };
        const fate = await fateOf(changed, plans.get(mutant.file)!, process);
        fates.set(mutant, fate);
        if (fate.kind === "simulated") progress(`simulation: ${described(mutant)}: ${fate.by}`);
        if (fate.kind === "survived") progress(`survived: ${described(mutant)}`);
        if (fates.size % 25 === 0) progress(`${fates.size} of ${chosen.length}`);
      }
      process.close();
    };
    await Promise.all(Array.from({ length: jobs }, work));
    return { mutants, equivalent, fates };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export function described({ file, line, change }: Mutant): string {
  return `${file}:${line}: ${change}`;
}

type Stage = Omit<Job, "changed">;

/** In turn. */
interface Plan {
  readonly tests: readonly Stage[];
  readonly seeds: readonly Stage[];
}

/** Without any mutation all passes; that run shows which tests are quick, and what a run may cost. */
async function measured(
  { root, stagesMax, simulation, cpuGraceSeconds }: Trial,
  targets: readonly Target[],
  process: TestProcess,
): Promise<Map<string, Plan>> {
  const unloaded = targets.find(({ stages }) => stages.length === 0);
  if (unloaded !== undefined) throw new Error(`${unloaded.file}: no test file loads it`);
  const stagesOf = (target: Target) => target.stages.slice(0, stagesMax);
  const tests = [...new Set(targets.flatMap((target) => stagesOf(target).flat()))];
  const all = [...new Set(targets.flatMap(({ dependents }) => dependents))];
  const costs = await unchanged(
    { root, tests, simulation: null, dependents: all, cpuMaxSeconds: 600 },
    process,
  );
  const cost = (test: string): number => costs[test] ?? 0;
  const limited = (stage: Omit<Stage, "cpuMaxSeconds">, seconds: number): Stage => ({
    ...stage,
    cpuMaxSeconds: cpuGraceSeconds + 3 * seconds,
  });

  const loaders = [...new Set(targets.flatMap(({ simulated }) => simulated ?? []))];
  const batches: { readonly seeds: Seeds; readonly seconds: number }[] = [];
  for (const seeds of simulation !== null && loaders.length > 0 ? batchesOf(simulation) : []) {
    const stage = { root, tests: [], simulation: seeds, dependents: loaders, cpuMaxSeconds: 600 };
    const { [seeds.entry]: seconds = 0 } = await unchanged(stage, process);
    batches.push({ seeds, seconds });
  }
  return new Map(
    targets.map((target) => [
      target.file,
      {
        tests: stagesOf(target).map((stage) =>
          limited(
            {
              root,
              tests: stage.toSorted((a, b) => cost(a) - cost(b)),
              simulation: null,
              dependents: target.dependents,
            },
            stage.reduce((sum, test) => sum + cost(test), 0),
          ),
        ),
        seeds: (target.simulated === null ? [] : batches).map(({ seeds, seconds }) =>
          limited({ root, tests: [], simulation: seeds, dependents: target.simulated ?? [] }, seconds),
        ),
      },
    ]),
  );
}

async function unchanged(stage: Stage, process: TestProcess): Promise<JobResult["cpuSecondsOf"]> {
  const ran = await process.run({ ...stage, changed: null });
  if ("ended" in ran) throw new Error(`without any mutation: ${ran.ended}`);
  if (ran.failed !== null) throw new Error(`without any mutation this fails: ${ran.failed}`);
  return ran.cpuSecondsOf;
}

/** Few at a time: what uses far more processor time than it should is found out soon. */
function batchesOf({ entry, seeds }: Simulated): Seeds[] {
  const starts = Array.from({ length: Math.ceil(seeds / seedsPerJob) }, (_, n) => 1 + n * seedsPerJob);
  return starts.map((from) => ({ entry, from, count: Math.min(seedsPerJob, seeds + 1 - from) }));
}

const seedsPerJob = 25;

async function fateOf(changed: Job["changed"], plan: Plan, process: TestProcess): Promise<Fate> {
  const failure = async (stages: readonly Stage[]): Promise<string | null> => {
    for (const stage of stages) {
      const ran = await process.run({ ...stage, changed });
      const failed = "ended" in ran ? ran.ended : ran.failed;
      if (failed !== null) return failed;
    }
    return null;
  };
  const byTest = await failure(plan.tests);
  if (byTest !== null) return { kind: "killed", by: byTest };
  const bySeed = await failure(plan.seeds);
  return bySeed === null ? { kind: "survived" } : { kind: "simulated", by: bySeed };
}

function isListed({ file, lineText, change }: Mutant, entry: Equivalent): boolean {
  return file === entry.file && lineText === entry.line && change === entry.change;
}

/** The same ones for the same seed, in the order of the files. */
function chooseSome(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  let state = seed >>> 0;
  // mulberry32
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const ranked = mutants.map((mutant, at) => ({ mutant, at, rank: random() }));
  const chosen = ranked.toSorted((a, b) => a.rank - b.rank).slice(0, count);
  return chosen.toSorted((a, b) => a.at - b.at).map(({ mutant }) => mutant);
}
