/** Which checkout each worker runs: this one, or another version of the product beside it. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Problem } from "../../src/problem.ts";
import type { Crew } from "./crew.ts";
import { registrarProgram } from "./processes.ts";

export type Version = "this" | "other";

export interface Versions {
  programOf(worker: number): string;
  /** In good order. What was done; null: it is frozen, dead or not at work yet. */
  update(crew: Crew, worker: number, to: Version): Promise<string | null>;
}

const program = join("src", "cli", "main.ts");
/** Longer than SHUTDOWN_TIMEOUT_MS. */
const endMs = 30_000;

/** Of `--other-version`: a clone or an unpacked archive, installed. */
export function checkOtherVersion(directory: string): Problem | null {
  const missing = [program, "node_modules"].find((path) => !existsSync(join(directory, path)));
  if (missing === undefined) return null;
  const message = `--other-version ${directory}: there is no ${missing}.`;
  const fix =
    missing === program
      ? "Name the directory of a clone of the project at the other version."
      : `Type npm ci in ${directory}.`;
  return { code: "no-other-version", message, fix };
}

/** All begin with the other version where there is one. */
export function openVersions(otherDirectory: string | null, workers: number): Versions {
  const other = otherDirectory === null ? null : join(resolve(otherDirectory), program);
  const versions = Array<Version>(workers).fill(other === null ? "this" : "other");
  return {
    programOf: (worker) => (versions[worker] === "this" || other === null ? registrarProgram : other),
    async update(crew, worker, to) {
      const before = versions[worker]!;
      versions[worker] = to;
      const how = await crew.replace(worker, endMs);
      if (how === null) versions[worker] = before;
      if (how === null) return null;
      return `worker ${worker + 1} stopped (${how}), and started with ${to} version`;
    },
  };
}
