/**
 * One worker a directory. The lock is SQLite's exclusive lock on the empty database `worker.lock`: the operating
 * system drops it when the process dies, however it dies. `worker.pid` only tells people who holds it.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { attempt, type Failure, isBusy } from "./errors.ts";

export interface WorkerLock {
  release(): void;
}

export type Locking = { readonly ok: true; readonly lock: WorkerLock } | ({ readonly ok: false } & Failure);

export function lockForWorker(dataDir: string): Locking {
  const lockFile = join(dataDir, "worker.lock");
  const holderFile = join(dataDir, "worker.pid");
  const opened = attempt(lockFile, () => new DatabaseSync(lockFile, { timeout: 0 }));
  if (!opened.ok) return opened;
  const db = opened.value;
  const locked = attempt(lockFile, () => db.exec("BEGIN EXCLUSIVE"));
  if (!locked.ok) {
    db.close();
    return isBusy(locked) ? { ok: false, ...taken(dataDir, holderOf(holderFile)) } : locked;
  }
  attempt(holderFile, () => writeFileSync(holderFile, `${process.pid} ${hostname()}\n`));
  const release = () => {
    if (!db.isOpen) return;
    attempt(holderFile, () => rmSync(holderFile, { force: true }));
    db.close();
  };
  return { ok: true, lock: { release } };
}

/** Null: not known. Only called while another process holds the lock, so a stale file does no harm. */
function holderOf(holderFile: string): { pid: string; host: string } | null {
  const content = attempt(holderFile, () => readFileSync(holderFile, "utf8"));
  const [, pid, host] = (content.ok && /^(\d+) (\S+)\s*$/.exec(content.value)) || [];
  return pid === undefined || host === undefined ? null : { pid, host };
}

function taken(dataDir: string, holder: { pid: string; host: string } | null): Failure {
  const who = holder === null ? "" : ` (process ${holder.pid} on ${holder.host})`;
  const stop = holder === null ? "Stop it" : `Stop it (on ${holder.host} type: kill ${holder.pid})`;
  return {
    problem: {
      code: "log-taken",
      message: `Another worker${who} works on the event log in ${dataDir}; there can be one at a time.`,
      fix: `${stop}, or give this one another directory: DATA_DIR=<directory>. Several workers share their work on Kafka: KAFKA_BROKERS=<host:port,...>`,
    },
    retryable: false,
  };
}
