/**
 * A temporary directory for one run of the tests: what processes leave that were killed, or tests that failed, ends with it. Those of
 * runs that were killed themselves go when the next run begins.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptDirectoryVariable } from "../../lab/testkit/kept-directory.ts";

// Short: sockets are made below it, and the path of one has 108 characters at the most.
const prefix = "registrar-run-";

/** For all processes that this one starts from now on; returns what removes it. */
export function useTemporaryDirectory(isAlive: (pid: number) => boolean): () => void {
  const parent = tmpdir();
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (pid > 0 && !isAlive(pid)) remove(join(parent, name), () => {}); // Another user's stays.
  }
  const directory = mkdtempSync(join(parent, `${prefix}${process.pid}-`));
  process.env[keptDirectoryVariable] ??= parent;
  // The names that Node reads on Unix and on Windows.
  for (const name of ["TMPDIR", "TEMP", "TMP"]) process.env[name] = directory;
  return () =>
    remove(directory, () => console.error(`The temporary directory ${directory} could not be removed.`));
}

function remove(directory: string, onFailure: () => void): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    onFailure();
  }
}
