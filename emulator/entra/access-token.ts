/** The tokens that Graph takes: made here, and checked here. */

import { createHmac, timingSafeEqual } from "node:crypto";

export interface TokenKeys {
  /** Audiences that Graph takes. */
  readonly audiences: readonly string[];
  /** Signs the tokens; new for each emulator. */
  readonly signingKey: Uint8Array;
}

interface Claims {
  readonly aud: string;
  readonly tid: string;
  /** Seconds since 1970, perhaps fractional. */
  readonly exp: number;
  readonly roles?: readonly string[];
}

export type TokenCheck =
  | { readonly ok: true; readonly tenantId: string }
  | { readonly ok: false; readonly message: string };

/** Secrets and tokens are far smaller; a longer one is not looked at. */
const maxTokenLength = 4_096;
const maxCachedTokens = 10_000;

export function signToken(keys: TokenKeys, claims: Claims): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ typ: "JWT", alg: "HS256" })}.${encode(claims)}`;
  return `${signed}.${signature(keys, signed).toString("base64url")}`;
}

/** Checks `Authorization` headers; remembers signatures that it has checked. */
export function tokenChecker(keys: TokenKeys): (authorization: string, wallMs: number) => TokenCheck {
  const checked = new Map<string, Claims>();
  return (authorization, wallMs) => {
    const known = checked.get(authorization);
    const claims = known ?? readClaims(keys, authorization);
    if (typeof claims === "string") return { ok: false, message: claims };
    if (claims.exp * 1000 <= wallMs) return { ok: false, message: "The access token's lifetime is over." };
    if (!keys.audiences.includes(claims.aud))
      return { ok: false, message: "The access token's audience is invalid." };
    if (known === undefined) {
      if (checked.size >= maxCachedTokens) checked.clear();
      checked.set(authorization, claims);
    }
    return { ok: true, tenantId: claims.tid };
  };
}

function readClaims(keys: TokenKeys, authorization: string): Claims | string {
  if (authorization === "") return "The access token is missing.";
  const parts = /^Bearer +([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorization.slice(0, maxTokenLength));
  if (parts === null) return "The access token is not a JSON web token.";
  const expected = signature(keys, `${parts[1]}.${parts[2]}`);
  const given = Buffer.from(parts[3]!, "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return "The access token's signature is invalid.";
  }
  return JSON.parse(Buffer.from(parts[2]!, "base64url").toString()) as Claims;
}

function signature(keys: TokenKeys, text: string): Buffer {
  return createHmac("sha256", keys.signingKey).update(text).digest();
}
