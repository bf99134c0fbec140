/**
 * Loaded into each test process before anything else: gives it one module with another text than the file has. So no
 * file of the tree is ever changed.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const { MUTATE_URL: mutated, MUTATE_TEXT: textPath } = process.env;
if (mutated !== undefined && textPath !== undefined) {
  registerHooks({
    load(url, context, next) {
      if (url !== mutated) return next(url, context);
      return { format: "module-typescript", source: readFileSync(textPath, "utf8"), shortCircuit: true };
    },
  });
}
