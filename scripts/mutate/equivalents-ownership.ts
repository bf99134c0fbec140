/** Those of take-over, commits and status, by file: see equivalents.ts. */
import type { Equivalent } from "./trial.ts";

const offInSimulation = "The switch turns a defence off, for the simulation only.";

const byFile: Readonly<Record<string, readonly Omit<Equivalent, "file">[]>> = {
  "src/registrar/status.ts": [
    {
      line: "if (trouble !== null) notReady.push(`log: ${trouble}`);",
      change: ".push -> .unshift",
      why: "It is the first entry.",
    },
  ],
  "src/registrar/ownership/commit-claim.ts": [
    {
      line: "...(holder === undefined ? {} : { holder }),",
      change: "conditional (holder === undefined) -> conditional (false)",
      why: "A holder that is undefined is not written either (commit-metadata.ts).",
    },
  ],
  "src/registrar/ownership/suspects.ts": [
    {
      line: 'if (result.logEnd === undefined || settings.sabotage?.has("end-in-take-over")) return result;',
      change:
        'result.logEnd === undefined || settings.sabotage?.has("end-in-take-over") -> result.logEnd === undefined',
      why: offInSimulation,
    },
    {
      line: 'if (doubts.size === 0 || settings.sabotage?.has("dead-letters-unread")) return true;',
      change: 'doubts.size === 0 || settings.sabotage?.has("dead-letters-unread") -> doubts.size === 0',
      why: offInSimulation,
    },
  ],
};

export const ofOwnership: readonly Equivalent[] = Object.entries(byFile).flatMap(([file, entries]) =>
  entries.map((entry) => ({ file, ...entry })),
);
