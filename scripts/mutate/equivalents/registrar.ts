/** Those of src/registrar itself and of its intake. */
import type { EquivalentsByFile } from "../trial.ts";

export const ofRegistrar: EquivalentsByFile = {
  "src/registrar/intake/parking.ts": [
    {
      line: "if (tenant.head >= 1024 || tenant.head === tenant.offsets.length) {",
      change: "tenant.head >= 1024 -> tenant.head > 1024",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
    {
      line: "if (tenant.head >= 1024 || tenant.head === tenant.offsets.length) {",
      change: "if (tenant.head >= 1024 || tenant.head === tenant.offsets.length) -> if (true)",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
    {
      line: "const slot = { offset, settled: false, tainted: false };",
      change: "false -> true",
      why: "Of slots in the retry topic nothing reads `settled`.",
    },
  ],
  "src/registrar/intake/window.ts": [
    {
      line: "if (window.head >= 1024 || window.head === window.slots.length) {",
      change: "window.head >= 1024 -> window.head > 1024",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
    {
      line: "if (window.head >= 1024 || window.head === window.slots.length) {",
      change: "if (window.head >= 1024 || window.head === window.slots.length) -> if (true)",
      why: "When entries that are done are let go changes memory and time, nothing else.",
    },
  ],
  "src/registrar/registrar.ts": [
    {
      line: "flow.wake();",
      change: "flow.wake(); -> (removed)",
      why: "What waits for the session is looked at again a quarter of a second later.",
    },
    {
      line: "parker.checkParked(partition);",
      change: "parker.checkParked(partition); -> (removed)",
      why: "A copy that is lost is missed some seconds later, at the next look at the log.",
    },
    {
      line: "for (const partition of owned.values()) reader.wake(partition);",
      change: "reader.wake(partition); -> (removed)",
      why: "A loop of the session before that waits for room ends a quarter of a second later, and does nothing until then.",
    },
    {
      line: "if (pausing.has(partition)) return;",
      change: "if (pausing.has(partition)) -> if (false)",
      why: "Parked once more in the same turn: the second time nothing is left to park.",
    },
    {
      line: "pausing.add(partition);",
      change: "pausing.add(partition); -> (removed)",
      why: "Parked once more in the same turn: the second time nothing is left to park.",
    },
  ],
  "src/registrar/status.ts": [
    {
      line: "if (trouble !== null) notReady.push(`log: ${trouble}`);",
      change: ".push -> .unshift",
      why: "It is the first entry.",
    },
    {
      line: "if (partitions.length > 0 && ![...owned.values()].some((partition) => isHeld(partition, clock))) {",
      change: ".some -> .every",
      why: "While one is confirmed all that are owned are, under the lease of the one session: they are held together.",
    },
  ],
};
