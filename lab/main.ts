/**
 * The commands that a clone has beside the product's, as program.ts lists them.
 * Exit codes: 0 done, 1 the work failed, 2 usage or configuration, 130 interrupted.
 */
import { runProcess } from "../src/cli/run-process.ts";

await runProcess(async () => {
  const { runProgram } = await import("../src/cli/program.ts");
  const { labProgram } = await import("./program.ts");
  return (argv) => runProgram(argv, labProgram);
});
