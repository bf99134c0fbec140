/** Who sent a request, by its Authorization header. */
import { type Failure, failures } from "../http/problem.ts";
import type { EntraVerdict } from "./entra.ts";
import { localPrincipal, type Principal } from "./principal.ts";
import type { TokenStore } from "./token-store.ts";

export type Authentication =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly failure: Failure };

export interface Doors {
  readonly tokens: TokenStore | null;
  readonly entra: { verify(token: string): Promise<EntraVerdict> } | null;
}

/** RFC 6750, 2.1. */
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const maxTokenCharacters = 8_192;
const jwt = /^[^.]+\.[^.]+\.[^.]+$/;

/** Neither door: the service is open, which bind-rules.ts allows on the machine itself only. */
export function isOpen({ tokens, entra }: Doors): boolean {
  return tokens === null && entra === null;
}

export function authenticate(
  doors: Doors,
  authorization: string | undefined,
): Authentication | Promise<Authentication> {
  if (isOpen(doors)) return { ok: true, principal: localPrincipal };
  if (authorization === undefined) return { ok: false, failure: failures.tokenMissing() };
  const [, token] = (authorization.length <= maxTokenCharacters && bearer.exec(authorization)) || [];
  if (token === undefined) return { ok: false, failure: failures.tokenUnknown() };
  if (doors.entra !== null && (jwt.test(token) || doors.tokens === null)) return doors.entra.verify(token);
  const principal = doors.tokens?.principalOf(token) ?? null;
  if (principal === "unavailable") return { ok: false, failure: failures.tokensUnavailable() };
  return principal === null ? { ok: false, failure: failures.tokenUnknown() } : { ok: true, principal };
}
