/** Those of src/policy that equivalents.ts does not list itself. */
import type { Equivalent } from "./trial.ts";

const handledBefore = "400 was handled before.";

const byFile: Readonly<Record<string, readonly Omit<Equivalent, "file">[]>> = {
  "src/policy/classify.ts": [
    {
      line: 'if (status >= 400) return unknown("failure");',
      change: "status >= 400 -> status > 400",
      why: handledBefore,
    },
    {
      line: "if (status >= 400 && status < 500) return !ownStatuses.some((statuses) => statuses.has(status));",
      change: "status >= 400 -> status > 400",
      why: "400 is none of those that a gateway answers either.",
    },
    {
      line: "return status >= 300 && status < 400;",
      change: "status < 400 -> status <= 400",
      why: handledBefore,
    },
  ],
  "src/policy/pacing.ts": [
    {
      line: "if (limit === pacing.limitMax) return;",
      change: "if (limit === pacing.limitMax) -> if (false)",
      why: "The same limit again: what was learned is lower, and stays; where nothing was, it is the same.",
    },
  ],
};

export const ofPolicy: readonly Equivalent[] = Object.entries(byFile).flatMap(([file, entries]) =>
  entries.map((entry) => ({ file, ...entry })),
);
