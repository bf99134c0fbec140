/** What a clone has beside the product's commands: `npm run demo`, `npm run simulate`, `npm run chaos`, `npm run bench`, `npm run fuzz`. */
import { trialAliases, trialCommands } from "../demo/commands.ts";
import type { Program } from "../src/cli/program.ts";

export const labProgram: Program = {
  name: "npm run",
  beforeOptions: "-- ",
  aliases: trialAliases,
  commands: {
    ...trialCommands(ownBroker),
    simulate: [
      "seeded simulation of the worker under faults",
      () => import("./simulation/simulate.ts"),
      [
        { does: "a thousand seeds", line: "simulate --seeds 1000" },
        { does: "one seed, step by step", line: "simulate --seed 42 --trace" },
      ],
    ],
    chaos: [
      "workers as processes on a real broker, killed and frozen at random",
      () => import("./chaos/command.ts"),
      [
        { does: "one broker, three workers", line: "chaos --events 400 --kills 4" },
        {
          does: "a cluster of three brokers",
          line: "chaos --brokers 3 --events 2000 --kills 10 --freezes 5",
        },
      ],
    ],
    bench: [
      "measure the worker against other programs that do the same job",
      () => import("./bench/command.ts"),
      [
        { does: "how quickly a backlog is drained", line: "bench --scenario drain" },
        { does: "everything, in small: shows that it works", line: "bench --scenario all --smoke" },
      ],
    ],
    fuzz: [
      "hostile requests to the HTTP service, over real connections",
      () => import("./fuzz/command.ts"),
      [
        { does: "some thousands, others each time", line: "fuzz" },
        { does: "a million, always the same ones", line: "fuzz --seed 1 --count 1000000" },
      ],
    ],
  },
};

async function ownBroker() {
  const { startOwnBroker } = await import("./testkit/broker.ts");
  return startOwnBroker();
}
