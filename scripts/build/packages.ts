/**
 * What a bundle holds of other packages: their licences in one text file, as their terms demand, and a software bill of materials
 * (CycloneDX 1.5). Both are made of the bundle's own list of files, so that they name what is inside and nothing else.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Package {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; null: its manifest names none. */
  readonly license: string | null;
}

/** `inputs`: the bundle's files, from the root of the tree. The same inputs give the same files. */
export function writePackages(root: string, inputs: readonly string[], outdir: string): void {
  const folders = [...new Set(inputs.map(packageFolder).filter((folder) => folder !== null))].sort();
  const packages = folders.map((folder) => readPackage(join(root, folder)));
  const texts = packages.map(licenceText);
  writeFileSync(join(outdir, "THIRD_PARTY_LICENCES"), texts.join(`\n${"-".repeat(78)}\n\n`));
  writeFileSync(
    join(outdir, "sbom.cdx.json"),
    `${JSON.stringify(billOfMaterials(readPackage(root), packages), null, 2)}\n`,
  );
}

/** The innermost: a package may have packages of its own. Null: of this project. */
function packageFolder(input: string): string | null {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  return found === null ? null : found[1]!;
}

function readPackage(folder: string): Package {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { folder, name, version, license: typeof license === "string" ? license : null };
}

function licenceText({ folder, name, version, license }: Package): string {
  const files = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  return `${[`${name} ${version} (${license ?? "see its text"})`, ...texts].join("\n\n")}\n`;
}

function billOfMaterials(own: Package, packages: readonly Package[]): object {
  // One that is inside twice, in the same version, is one component.
  const components = new Map(packages.map((each) => [urlOf(each), componentOf(each, "library")]));
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: componentOf(own, "application") },
    components: [...components.values()],
    dependencies: [{ ref: urlOf(own), dependsOn: [...components.keys()] }],
  };
}

function componentOf(each: Package, type: "application" | "library"): object {
  const { name, version, license } = each;
  const licenses = license === null ? {} : { licenses: [{ expression: license }] };
  return { type, "bom-ref": urlOf(each), name, version, purl: urlOf(each), ...licenses };
}

/** Package URL. */
function urlOf({ name, version }: Package): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}
