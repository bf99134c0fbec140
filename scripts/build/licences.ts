/** The licences of the packages of which files are in a bundle: one text file, as their terms demand. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `inputs`: the bundle's files, from the root of the tree. */
export function writeLicences(root: string, inputs: readonly string[], file: string): void {
  const folders = [...new Set(inputs.map(packageFolder).filter((folder) => folder !== null))].sort();
  const texts = folders.map((folder) => licenceOf(join(root, folder)));
  writeFileSync(file, texts.join(`\n${"-".repeat(78)}\n\n`));
}

/** The innermost: a package may have packages of its own. Null: of this project. */
function packageFolder(input: string): string | null {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  return found === null ? null : found[1]!;
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const files = readdirSync(folder)
    .filter((each) => /^(licen[cs]e|copying|notice)/i.test(each))
    .sort();
  const texts = files.map((each) => readFileSync(join(folder, each), "utf8").trim());
  return `${[`${name} ${version} (${license ?? "see its text"})`, ...texts].join("\n\n")}\n`;
}
