/** The flags of the command that say what Entra knows, and the files that they name. */

import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { emulatorCredential } from "../credential.ts";
import type { Problem } from "../host.ts";
import { names } from "../option-values.ts";
import { type Cloud, cloudNames } from "./clouds.ts";
import { isCertificate, readFederated } from "./input.ts";
import type { EntraState } from "./state.ts";

export interface EntraFlags {
  readonly cloud?: Cloud;
  readonly certificates?: readonly string[];
  readonly federated?: string;
  readonly identityHeader: string;
}

export class EntraFileProblem extends Error {
  readonly problem: Problem;

  constructor(flag: string, path: string, what: string) {
    super(what);
    const fix = `Give ${flag} the path of a file that holds it.`;
    this.problem = { code: "entra-file", message: `${flag} ${path} ${what}.`, fix };
  }
}

export function addEntraOptions(command: Command): void {
  command
    .addOption(new Option("--cloud <name>", "the only cloud it is; default all").choices(cloudNames))
    .option("--certificates <files>", "PEM files: the app's certificates, or their CA", names)
    .option("--federated <file>", "whose tokens the app trusts; see docs/EMULATOR.md")
    .option("--identity-header <text>", "what IDENTITY_HEADER holds", emulatorCredential.identityHeader);
}

/** Throws EntraFileProblem. Without --federated the app trusts the emulator's own managed identity. */
export function entraOfFlags({ certificates: paths = [], federated }: EntraFlags): Partial<EntraState> {
  const certificates = paths.map((path) => {
    const pem = textOf("--certificates", path);
    if (isCertificate(pem)) return pem;
    throw new EntraFileProblem("--certificates", path, "holds no certificate in PEM form");
  });
  if (federated === undefined) return { certificates };
  const read = readFederated(textOf("--federated", federated));
  if (read.ok) return { certificates, federated: read.value };
  throw new EntraFileProblem("--federated", federated, `is not what it has to be: ${read.message}`);
}

function textOf(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new EntraFileProblem(flag, path, `can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
