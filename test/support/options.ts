/** The options of `npm test`; other arguments select files or tests, see test-files.ts. */

export interface RunnerOptions {
  readonly filters: readonly string[];
  /** Where the times of each file go. */
  readonly timesFile: string | null;
  readonly repeatsFailed: boolean;
  /** Also files that start brokers, containers, browsers or whole installations. */
  readonly takesHeavy: boolean;
}

export type OptionsResult =
  | { readonly ok: true; readonly options: RunnerOptions }
  | { readonly ok: false; readonly message: string };

const flags = ["--repeat-failed", "--quick", "--all"] as const;

/**
 * `environment`: CI, or a REQUIRE_ variable that is 1, asks for all tests, as `--all` does. So does a filter: what it names is run.
 */
export function readOptions(parameters: readonly string[], environment: NodeJS.ProcessEnv): OptionsResult {
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
      message: `unknown option ${unknown}. There are --all, --quick, --repeat-failed and --times FILE; to select a test whose name begins with dashes, leave them out.`,
    };
  const [isAll, isQuick] = [parameters.includes("--all"), parameters.includes("--quick")];
  if (isAll && isQuick)
    return { ok: false, message: "--all and --quick say opposite things: leave one out." };
  const options = {
    filters,
    timesFile,
    repeatsFailed: parameters.includes("--repeat-failed"),
    takesHeavy: isAll || (!isQuick && (filters.length > 0 || asksForAll(environment))),
  };
  return { ok: true, options };
}

function asksForAll(environment: NodeJS.ProcessEnv): boolean {
  const { CI } = environment;
  return (CI !== undefined && CI !== "" && CI !== "false") || requirements(environment).length > 0;
}

/** REQUIRE_KAFKA=1 -> "kafka". */
export function requirements(environment: NodeJS.ProcessEnv): string[] {
  const prefix = "REQUIRE_";
  return Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && environment[name] === "1")
    .map((name) => name.slice(prefix.length).toLowerCase());
}
