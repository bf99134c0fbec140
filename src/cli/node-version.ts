/** One line where Node.js is too old, instead of whatever would fail first. Loaded before everything else. */
import { say } from "./terminal.ts";

const least = 24;

if (Number(process.versions.node.split(".")[0]) < least) {
  say(
    `connector-registrar: this is Node.js ${process.versions.node}, and it needs ${least} or newer.\n` +
      "  In a clone type npm run with the command's name, which brings its own Node.js; elsewhere install a newer one.\n",
  );
  process.exit(2);
}
