/**
 * The tokens in use, as TOKENS_FILE has them.
 *
 * 1. A change is seen within `tokensCheckMs` of the next request: a token that was removed is accepted no longer than that.
 * 2. Without the file no token is accepted. One that can't be read otherwise, or is half written, changes nothing and is
 *    reported until it is correct again: a typing error must not stop every installer.
 */
import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clock } from "../../ports.ts";
import type { Problem } from "../../problem.ts";
import { limits } from "../http/limits.ts";
import { fileMark } from "./file-mark.ts";
import type { Principal } from "./principal.ts";
import { readTokens, type TokenEntry, tokenHash } from "./tokens-file.ts";

export interface TokenStore {
  /** Null: no such token, or it has expired. "unavailable": the file is gone. */
  principalOf(token: string): Principal | null | "unavailable";
  /** The same by the token's hash. */
  principalOfHash(hash: string): Principal | null | "unavailable";
  /** Null: the file is as it should be. */
  problem(): Problem | null;
}

interface Known {
  readonly hash: Buffer;
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

export function openTokenStore(
  path: string,
  clock: Pick<Clock, "nowMs" | "wallMs">,
  onProblem: (problem: Problem) => void,
): TokenStore {
  let known: ReadonlyMap<string, Known> | null = null;
  let problem: Problem | null = null;
  let seen = "";
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  function check(): void {
    if (clock.nowMs() - checkedAtMs < limits.tokensCheckMs) return;
    checkedAtMs = clock.nowMs();
    const now = fileMark(path);
    if (now === seen) return;
    try {
      const read = readTokens(path, readFileSync(path, "utf8"));
      seen = now;
      if (!read.ok) return report(read.problem);
      known = new Map(read.tokens.map((entry) => [entry.sha256, knownOf(entry)]));
      problem = null;
    } catch (error) {
      const { code = "unknown" } = error as NodeJS.ErrnoException;
      seen = "";
      if (code === "ENOENT") known = null;
      report(unreadable(path, code));
    }
  }

  function report(found: Problem): void {
    if (problem?.message !== found.message) onProblem(found);
    problem = found;
  }

  function principalOfHash(hash: string): Principal | null | "unavailable" {
    check();
    if (known === null) return "unavailable";
    const found = known.get(hash);
    if (found === undefined || !timingSafeEqual(found.hash, Buffer.from(hash, "hex"))) return null;
    return found.expiresAtMs > clock.wallMs() ? found.principal : null;
  }

  return {
    principalOf: (token) => principalOfHash(tokenHash(token)),
    principalOfHash,
    problem() {
      check();
      return problem;
    },
  };
}

function knownOf({ name, sha256, tenants, role = "installer", expires }: TokenEntry): Known {
  return {
    hash: Buffer.from(sha256, "hex"),
    principal: {
      name,
      role,
      tenants: tenants.includes("*") ? "all" : new Set(tenants.map((tenant) => tenant.toLowerCase())),
    },
    expiresAtMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  };
}

function unreadable(path: string, code: string): Problem {
  return {
    code: "tokens-file",
    message: `TOKENS_FILE=${path} can't be read (${code}).`,
    fix:
      code === "ENOENT"
        ? "No token is accepted until it is there. Make a token: connector-registrar tokens create --name <name> --tenant <guid>"
        : "Let this user read the file: chmod u+r, chown. Until then the former tokens count.",
  };
}
