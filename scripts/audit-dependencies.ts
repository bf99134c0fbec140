/**
 * `npm run audit-dependencies`: `npm audit`, where the registry answers it. Known faults of severity high or critical end it with 1.
 * A registry that does not answer is said and ends it with 0: a check must not fail because a network is missing.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const limitMs = 120_000;
const failing = ["high", "critical"] as const;
const severities = ["info", "low", "moderate", ...failing] as const;

interface Outcome {
  readonly exitCode: 0 | 1;
  readonly line: string;
}

/** What npm printed, judged. It prints JSON in either case. */
function judge(printed: string): Outcome {
  const report = parsed(printed);
  const counts = report?.metadata?.vulnerabilities;
  if (counts === undefined) {
    const reason = report?.message ?? report?.error?.summary ?? "npm printed no report";
    return {
      exitCode: 0,
      line: `NOT AUDITED: the registry does not answer npm audit (${firstLine(reason)}).`,
    };
  }
  const found = severities.flatMap((severity) => {
    const count = counts[severity] ?? 0;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  if (found.length === 0) return { exitCode: 0, line: "npm audit knows of no fault in the dependencies." };
  const names = Object.keys(report?.vulnerabilities ?? {}).join(", ");
  const line = `npm audit knows of faults in the dependencies: ${found.join(", ")} (${names}). Type npm audit for each.`;
  return { exitCode: failing.some((severity) => (counts[severity] ?? 0) > 0) ? 1 : 0, line };
}

interface Report {
  readonly message?: string;
  readonly error?: { readonly summary?: string };
  readonly vulnerabilities?: Readonly<Record<string, unknown>>;
  readonly metadata?: { readonly vulnerabilities?: Readonly<Partial<Record<string, number>>> };
}

function parsed(text: string): Report | null {
  try {
    return JSON.parse(text) as Report | null;
  } catch {
    return null;
  }
}

/** Without the address, which may name a private registry. */
function firstLine(text: string): string {
  return text.split("\n")[0]!.replace(/ ?-? ?\b(?:GET|POST)? ?https?:\/\/\S+/g, "");
}

const { stdout, error } = spawnSync("npm", ["audit", "--json"], {
  cwd: join(import.meta.dirname, ".."),
  encoding: "utf8",
  timeout: limitMs,
  stdio: ["ignore", "pipe", "ignore"],
});
const { exitCode, line } = judge(stdout || JSON.stringify({ message: error?.message }));
console.log(line);
process.exitCode = exitCode;
