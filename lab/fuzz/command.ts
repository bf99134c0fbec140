/** `fuzz`: hostile requests to the HTTP service. */
import { Command } from "commander";
import { onInterrupt } from "../../src/cli/interrupts.ts";
import { positiveNumber, wholeNumber } from "../../src/cli/option-values.ts";
import { fail, print } from "../../src/cli/terminal.ts";
import { systemClock } from "../../src/clock.ts";

interface Flags {
  readonly count: number;
  readonly seed?: number;
  readonly connections: number;
}

export function command(): Command {
  const fuzz = new Command("fuzz")
    .description(
      "Sends hostile bodies, headers, paths and tokens to the HTTP service, over real connections.",
    )
    .option("--count <n>", "requests", positiveNumber, 20_000)
    .option("--seed <n>", "which requests; the same number gives the same ones", wholeNumber)
    .option("--connections <n>", "at the same time", positiveNumber, 64)
    .action(() => run(fuzz.opts<Flags>()));
  return fuzz;
}

async function run({ count, seed = systemClock.wallMs() % 1_000_000, connections }: Flags): Promise<void> {
  const { runFuzz } = await import("./run.ts");
  const interrupts = onInterrupt("Ending early.");
  const fromMs = systemClock.nowMs();
  const tookS = () => Math.round((systemClock.nowMs() - fromMs) / 1_000);
  print(`seed ${seed}, ${count} requests`);
  const { sent, statuses, stored, problems } = await runFuzz({
    ...{ count, seed, connections, signal: interrupts.signal },
    onProgress: (done, rssMb) => print(`${done} requests, ${tookS()} s, ${Math.round(rssMb)} MB`),
  });
  interrupts.stopListening();
  for (const problem of problems) print(problem);
  print(`${sent} requests in ${tookS()} s, ${stored} events stored, by status ${JSON.stringify(statuses)}`);
  if (problems.length === 0) return;
  fail({
    code: "fuzz",
    message: `${problems.length} requests or more were answered wrongly; they stand above.`,
    fix: `Type npm run fuzz -- --seed ${seed} --count ${count} to see them again.`,
  });
}
