#!/usr/bin/env node
/**
 * The command line's entry: signals and output first, then the rest.
 * Exit codes: 0 done, 1 the work failed, 2 usage or configuration, 130 interrupted.
 */
import "./node-version.ts";
import { interrupted } from "./interrupts.ts";
import { outputTaken, watchOutput } from "./terminal.ts";

watchOutput();
// Loaded only now: a signal that comes meanwhile has its listener already.
const { runProgram } = await import("./program.ts");
const code = await runProgram(process.argv.slice(2));
// Output that failed meanwhile counts too.
process.exitCode ||= code;
// A slow reader (`| less`) gets all of it; a signal ends the wait.
await outputTaken();
// A handle left open by a library must not keep a finished command alive; nor must a reader of standard error.
setTimeout(() => process.exit(), 2_000).unref();
if (interrupted()) process.exit();
