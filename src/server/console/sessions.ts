/**
 * Who is signed in. A session stands for a token and lives no longer than that: each request looks the token up again, so one that was
 * revoked or has expired ends its sessions within a second. Sessions are kept in memory: after a restart operators sign in again.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../ports.ts";
import { consoleLimits } from "./limits.ts";

export interface Sessions {
  /** Returns its id, 256 random bits. */
  begin(tokenHash: string): string;
  /** The token's hash. Null: there is no such session, or it is over. */
  tokenHashOf(id: string): string | null;
  end(id: string): void;
}

interface Session {
  readonly tokenHash: string;
  readonly untilMs: number;
  idleUntilMs: number;
}

export function createSessions(clock: Pick<Clock, "nowMs">): Sessions {
  const { sessions: max, sessionMs, sessionIdleMs } = consoleLimits;
  const sessions = new Map<string, Session>();
  return {
    begin(tokenHash) {
      const nowMs = clock.nowMs();
      for (const [id, { untilMs, idleUntilMs }] of sessions)
        if (Math.min(untilMs, idleUntilMs) <= nowMs) sessions.delete(id);
      if (sessions.size >= max) sessions.delete(sessions.keys().next().value!);
      const id = randomBytes(32).toString("base64url");
      sessions.set(id, { tokenHash, untilMs: nowMs + sessionMs, idleUntilMs: nowMs + sessionIdleMs });
      return id;
    },
    tokenHashOf(id) {
      const found = sessions.get(id);
      const nowMs = clock.nowMs();
      if (found === undefined || Math.min(found.untilMs, found.idleUntilMs) <= nowMs) return null;
      found.idleUntilMs = nowMs + sessionIdleMs;
      return found.tokenHash;
    },
    end: (id) => void sessions.delete(id),
  };
}
