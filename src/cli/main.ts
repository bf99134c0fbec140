#!/usr/bin/env node
/**
 * The product's command line.
 * Exit codes: 0 done, 1 the work failed, 2 usage or configuration, 130 interrupted.
 */
import { runProcess } from "./run-process.ts";

await runProcess(async () => {
  const { productProgram, runProgram } = await import("./program.ts");
  return (argv) => runProgram(argv, productProgram);
});
