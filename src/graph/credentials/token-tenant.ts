/** Which tenant an access token is of: its `tid`, as Entra writes it. Nothing is verified. Pure. */

/** Lower case; null: the token can't be looked into. */
export function tenantOf(token: string): string | null {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined) return null;
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { tid?: unknown } | null;
    return typeof claims?.tid === "string" ? claims.tid.toLowerCase() : null;
  } catch {
    return null;
  }
}
