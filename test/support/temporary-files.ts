/**
 * A temporary directory for one run of the tests: what processes leave that were killed, or tests that failed, ends with it. Those of
 * runs that were killed themselves go when a run begins an hour later. A run lasts 40 minutes at most; one in a container that shares the
 * directory can't be seen by its process id.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptDirectoryVariable } from "../../lab/testkit/kept-directory.ts";

// Short: sockets are made below it, and the path of one has 108 characters at the most.
const prefix = "registrar-run-";
const abandonedAfterMs = 3_600_000;

/** For all processes that this one starts from now on; returns what removes it. */
export function useTemporaryDirectory(isAlive: (pid: number) => boolean): () => void {
  const parent = tmpdir();
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    const path = join(parent, name);
    if (pid > 0 && !isAlive(pid) && isAbandoned(path)) remove(path, () => {}); // Another user's stays.
  }
  const directory = mkdtempSync(join(parent, `${prefix}${process.pid}-`));
  process.env[keptDirectoryVariable] ??= parent;
  // The names that Node reads on Unix and on Windows.
  for (const name of ["TMPDIR", "TEMP", "TMP"]) process.env[name] = directory;
  return () =>
    remove(directory, () => console.error(`The temporary directory ${directory} could not be removed.`));
}

function isAbandoned(directory: string): boolean {
  const found = statSync(directory, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs;
}

function remove(directory: string, onFailure: () => void): void {
  try {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    onFailure();
  }
}
