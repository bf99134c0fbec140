/** What package.json says of `npm run start`: programs that stand for it are started as it is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");

export interface NpmStart {
  /** The file that is run. */
  readonly program: string;
  readonly nodeOptions: readonly string[];
}

export function npmStart(): NpmStart {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [, options, program] = /^node (.*)(src\/cli\/main\.ts) start$/.exec(scripts.start)!;
  return { program: join(root, program!), nodeOptions: options!.split(" ").filter(Boolean) };
}
