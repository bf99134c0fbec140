/** `simulate`: hands its arguments to the simulation, which reads them itself. */
import { Command } from "commander";

export function command(): Command {
  return new Command("simulate")
    .description("Runs the worker under seeded faults in virtual time and checks the result.")
    .argument("[arguments...]", "--seeds N, --seed S, --trace, --sabotage NAME; see docs/SIMULATION.md")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { simulateCommand } = await import("./command.ts");
      process.exitCode = await simulateCommand(words);
    });
}
