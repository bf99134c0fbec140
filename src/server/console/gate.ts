/**
 * Who may see the console.
 *
 * 1. Where the service asks for no token (loopback), everyone on this machine has access. Elsewhere only those who signed in with
 *    an operator's token; a token that enrolls shows nothing here.
 * 2. What changes something must come from a page of this service: Origin or Sec-Fetch-Site has to say so. Together with the cookie
 *    that no other site's request carries, that leaves nothing to forge.
 */
import type { FastifyRequest } from "fastify";
import { type Doors, isOpen } from "../auth/authenticate.ts";
import { localPrincipal, type Principal } from "../auth/principal.ts";
import { tokenHash } from "../auth/tokens-file.ts";
import type { Sessions } from "./sessions.ts";

export interface Gate {
  /** Null: no access. */
  operatorOf(request: FastifyRequest): Principal | null;
  /** The Set-Cookie header; a reason why not. */
  signIn(
    token: string,
  ): { readonly ok: true; readonly cookie: string } | { readonly ok: false; readonly why: string };
  /** Ends the session of the request; the Set-Cookie header that removes its cookie. */
  signOut(request: FastifyRequest): string;
  readonly isOpen: boolean;
  readonly takesTokens: boolean;
}

export interface GateParts {
  readonly doors: Doors;
  readonly sessions: Sessions;
  /** By TLS here, or at the proxy in front. */
  readonly isEncrypted: boolean;
}

const unknown =
  "This is not a token of an operator, or it has expired or was revoked. Have one made: connector-registrar tokens create --role operator --name <name>";
const unavailable = "The tokens can't be checked at present. Try again in a moment.";

export function createGate({ doors, sessions, isEncrypted }: GateParts): Gate {
  const { tokens } = doors;
  // With this prefix a browser takes the cookie over TLS only, for this host alone.
  const name = isEncrypted ? "__Host-console" : "console";
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isEncrypted ? "; Secure" : ""}`;
  return {
    isOpen: isOpen(doors),
    takesTokens: tokens !== null,
    operatorOf(request) {
      if (isOpen(doors)) return localPrincipal; // 1
      const id = cookieOf(request.headers.cookie, name);
      const hash = id === null ? null : sessions.tokenHashOf(id);
      const found = hash === null ? null : (tokens?.principalOfHash(hash) ?? null);
      return found !== null && found !== "unavailable" && found.role === "operator" ? found : null;
    },
    signIn(token) {
      const hash = tokenHash(token.trim());
      const found = tokens?.principalOfHash(hash) ?? null;
      if (found === "unavailable") return { ok: false, why: unavailable };
      if (found?.role !== "operator") return { ok: false, why: unknown };
      return { ok: true, cookie: `${name}=${sessions.begin(hash)}; ${attributes}` };
    },
    signOut(request) {
      const id = cookieOf(request.headers.cookie, name);
      if (id !== null) sessions.end(id);
      return `${name}=; ${attributes}; Max-Age=0`;
    },
  };
}

function cookieOf(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

/** 2. That an Origin which is there is our own was checked before (origin-check.ts). */
export function isFromOurPages({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined || headers["sec-fetch-site"] === "same-origin";
}
