/** Which application permissions an access token carries: its `roles`, as Entra writes them. Nothing is verified. Pure. */

/** Null: the token can't be looked into. */
export function rolesOf(token: string): readonly string[] | null {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    if (typeof claims !== "object" || claims === null || Array.isArray(claims)) return null;
    const { roles = [] } = claims as { roles?: unknown };
    // Without any permission there is no such claim.
    return Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : null;
  } catch {
    return null;
  }
}
