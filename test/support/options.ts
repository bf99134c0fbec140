/** The options of `npm test`; other arguments select files or tests, see test-files.ts. */

export interface RunnerOptions {
  readonly filters: readonly string[];
  /** Where the times of each file go. */
  readonly timesFile: string | null;
  readonly repeatsFailed: boolean;
  /** Leaves out files that start brokers, containers, browsers or whole installations. */
  readonly isQuick: boolean;
}

export type OptionsResult =
  | { readonly ok: true; readonly options: RunnerOptions }
  | { readonly ok: false; readonly message: string };

const flags = ["--repeat-failed", "--quick"] as const;

export function readOptions(parameters: readonly string[]): OptionsResult {
  const rest = parameters.filter((one) => !(flags as readonly string[]).includes(one));
  const at = rest.indexOf("--times");
  const timesFile = at < 0 ? null : rest[at + 1];
  if (timesFile === undefined)
    return { ok: false, message: "--times needs a file to write to. Type: npm test -- --times FILE" };
  const filters = at < 0 ? rest : rest.toSpliced(at, 2);
  const unknown = filters.find((one) => one.startsWith("--"));
  if (unknown !== undefined)
    return {
      ok: false,
      message: `unknown option ${unknown}. There are --quick, --repeat-failed and --times FILE; to select a test whose name begins with dashes, leave them out.`,
    };
  const options = {
    filters,
    timesFile,
    repeatsFailed: parameters.includes("--repeat-failed"),
    isQuick: parameters.includes("--quick"),
  };
  return { ok: true, options };
}
