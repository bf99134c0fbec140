/**
 * Changes to TOKENS_FILE.
 *
 * 1. Whole or not at all: a new file is written beside it, flushed, and put in its place.
 * 2. One at a time: two commands that run at the same time can't undo each other's change.
 * 3. Only its owner may read it.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Problem } from "../../problem.ts";
import { readTokens, type TokenEntry, type TokensRead, tokensText } from "../../server/auth/tokens-file.ts";

/** A file that is not there holds none. */
export function loadTokens(path: string): TokensRead {
  try {
    return readTokens(path, readFileSync(path, "utf8"));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { ok: true, tokens: [] };
    return { ok: false, problem: unusable(path, "can't be read", codeOf(error)) };
  }
}

/** Null: it is done. `change` says the new list, or why there is none. */
export function changeTokens(
  path: string,
  what: "create" | "revoke",
  change: (tokens: readonly TokenEntry[]) => readonly TokenEntry[] | Problem,
): Problem | null {
  const lock = `${path}.lock`;
  try {
    if (what === "create") mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(lock, "wx", 0o600));
  } catch (error) {
    return codeOf(error) === "EEXIST" ? locked(lock) : unusable(path, "can't be written", codeOf(error));
  }
  try {
    const read = loadTokens(path);
    if (!read.ok) return read.problem;
    const changed = change(read.tokens);
    if ("fix" in changed) return changed;
    replaceFile(path, tokensText(changed));
    return null;
  } catch (error) {
    return unusable(path, "can't be written", codeOf(error));
  } finally {
    rmSync(lock, { force: true });
  }
}

function replaceFile(path: string, text: string): void {
  const next = `${path}.next`;
  const file = openSync(next, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

function locked(lock: string): Problem {
  return {
    code: "tokens-locked",
    message: `Another command changes the tokens, or was cut off while it did: ${lock} is there.`,
    fix: `If no other one runs, type: rm ${lock}`,
  };
}

function unusable(path: string, what: string, code: string): Problem {
  return {
    code: "tokens-file",
    message: `TOKENS_FILE=${path} ${what} (${code}).`,
    fix: "Name a file that this user may read and write: export TOKENS_FILE=<path>",
  };
}
