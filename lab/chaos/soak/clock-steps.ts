/** Wall clocks of workers that can be set while they run, by libfaketime. Monotonic clocks stay as they are. */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../processes.ts";

export interface WallClocks {
  environmentOf(worker: number): Environment;
  /** So many seconds ahead; 0: right. */
  set(worker: number, byS: number): void;
}

const libraryName = "libfaketimeMT.so.1";

/** Null: it is not installed. */
export function findLibfaketime(folders: readonly string[] = libraryFolders()): string | null {
  return folders.map((folder) => join(folder, libraryName)).find((path) => existsSync(path)) ?? null;
}

/** Debian's, for each architecture, and those of other distributions. */
function libraryFolders(): string[] {
  const debian = existsSync("/usr/lib") ? readdirSync("/usr/lib").map((name) => `/usr/lib/${name}`) : [];
  return [...debian, "/usr/lib64", "/usr/local/lib"].map((folder) => join(folder, "faketime"));
}

export function openWallClocks(library: string, directory: string, workers: number): WallClocks {
  const fileOf = (worker: number) => join(directory, `worker-${worker + 1}.clock`);
  const set = (worker: number, byS: number) => {
    // Replaced whole: the worker may read it at any time.
    writeFileSync(`${fileOf(worker)}.new`, `${byS < 0 ? "-" : "+"}${Math.abs(byS)}\n`);
    renameSync(`${fileOf(worker)}.new`, fileOf(worker));
  };
  for (let worker = 0; worker < workers; worker++) set(worker, 0);
  return {
    set,
    environmentOf: (worker) => ({
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: fileOf(worker),
      // A longer one is counted by the clock that was set: a step back would hold for as long as it is.
      FAKETIME_CACHE_DURATION: "0",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    }),
  };
}

/** A killed process leaves its shared memory behind. */
export function sweepSharedMemory(pid: number, folder = "/dev/shm"): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (name === `faketime_shm_${pid}` || name === `sem.faketime_sem_${pid}`)
      rmSync(join(folder, name), { force: true });
}
