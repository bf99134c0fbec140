/**
 * One worker a directory. The lock is SQLite's exclusive lock on the empty database `worker.lock`: the operating
 * system drops it when the process dies, however it dies. `worker.pid` only tells people who holds it.
 */
import { accessSync, constants, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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
  const opened = attempt(lockFile, () => new DatabaseSync(lockFile, { timeout: 0 }), kind);
  if (!opened.ok) return { ok: false, ...unusable(lockFile, opened) };
  const db = opened.value;
  const lock = () => {
    // SQLite opens what it may not write for reading, and two that read do not exclude each other.
    accessSync(lockFile, constants.W_OK);
    db.exec("BEGIN EXCLUSIVE");
  };
  const locked = attempt(lockFile, lock, kind);
  if (!locked.ok) {
    db.close();
    return {
      ok: false,
      ...(isBusy(locked) ? taken(dataDir, holderOf(holderFile)) : unusable(lockFile, locked)),
    };
  }
  attempt(holderFile, () => writeFileSync(holderFile, `${process.pid} ${hostname()}\n`));
  const release = () => {
    if (!db.isOpen) return;
    attempt(holderFile, () => rmSync(holderFile, { force: true }));
    db.close();
  };
  return { ok: true, lock: { release } };
}

const kind = "lock file";

/** It holds nothing, so where it can't be a lock it may go; what helps the event log would not help here. */
function unusable(lockFile: string, failure: Failure): Failure {
  const { code } = failure.problem;
  if (failure.retryable || (code !== "log-damaged" && code !== "log-cannot-open")) return failure;
  const found = statSync(lockFile, { throwIfNoEntry: false });
  if (code === "log-cannot-open" && !found?.isDirectory()) return noAccess(lockFile);
  const problem = {
    code: "log-cannot-open",
    message: `The ${kind} ${lockFile} can't be used: it is not one that a worker made.`,
    fix: `Make sure that no worker works on this directory, then type: rm -r ${lockFile}`,
  };
  return { problem, retryable: false };
}

function noAccess(lockFile: string): Failure {
  const problem = {
    code: "log-not-writable",
    message: `The ${kind} ${lockFile} can't be made or opened by this user.`,
    fix: "Give the user that runs this write access to its directory and all files in it, or choose another one: DATA_DIR=<directory>",
  };
  return { problem, retryable: false };
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
