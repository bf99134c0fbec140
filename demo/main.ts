#!/usr/bin/env node
/**
 * The package's command line, as program.ts lists it.
 * Exit codes: 0 done, 1 the work failed, 2 usage or configuration, 130 interrupted.
 */
import { runProcess } from "../src/cli/run-process.ts";

await runProcess(async () => {
  const { runProgram } = await import("../src/cli/program.ts");
  const { packageProgram } = await import("./program.ts");
  return (argv) => runProgram(argv, packageProgram);
});
