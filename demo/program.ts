/** What the package installs as `connector-registrar`: the product's commands, and those to try it out with. */
import { type Program, productProgram } from "../src/cli/program.ts";
import { trialAliases, trialCommands } from "./commands.ts";

const { start, ...productOthers } = productProgram.commands;
const { demo, ...trialOthers } = trialCommands(null);

export const packageProgram: Program = {
  ...productProgram,
  commands: { start, demo, ...productOthers, ...trialOthers },
  aliases: trialAliases,
};
