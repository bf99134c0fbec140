/** The commands to try the product out with, for the programs that offer them: demo/main.ts, and lab/main.ts in a clone. */
import type { Example } from "../src/cli/help.ts";
import type { OwnBroker } from "./place.ts";

/** What the emulator's command was called first. */
export const trialAliases = { "simulate-graph": "emulate-graph" } as const;

/** `ownBroker`: starts a broker for the demo where none is given; null: this program can't. */
export function trialCommands(ownBroker: OwnBroker | null) {
  return {
    demo: [
      "the whole job on one machine with sample enrollments and an emulated Graph",
      () => demo(ownBroker),
      demoExamples,
    ],
    "emulate-graph": ["the Graph emulator alone, for tests and trials", emulateGraph, emulatorExamples],
  } as const;
}

const demoExamples: readonly Example[] = [
  { does: "200 enrollments, about 10 seconds", line: "demo" },
  {
    does: "more of them, more faults, the records to look at",
    line: "demo --events 2000 --faults harsh --out run",
  },
];

const emulatorExamples: readonly Example[] = [
  { does: "on port 8443, without faults", line: "emulate-graph" },
  {
    does: "faults and delays",
    line: "emulate-graph --faults flaky --latency 20-80",
  },
];

async function demo(ownBroker: OwnBroker | null) {
  const { command } = await import("./command.ts");
  return { command: () => command(ownBroker) };
}

/** The emulator knows nothing of the product's command line: this passes it how to end and where to print. */
async function emulateGraph() {
  const { command } = await import("../emulator/command.ts");
  const { onInterrupt } = await import("../src/cli/interrupts.ts");
  const { fail, print } = await import("../src/cli/terminal.ts");
  return { command: () => command({ print, fail, onStop: () => onInterrupt("") }) };
}
