/**
 * TOKENS_FILE: who may use the service, as JSON. It holds only hashes of tokens: a token has 256 random bits, so one
 * round of SHA-256 can't be searched, and looking one up by its hash tells nothing about others.
 */
import { hash } from "node:crypto";
import Type from "typebox";
import { Compile } from "typebox/compile";
import type { Problem } from "../../problem.ts";

const guid = "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$";

export const tokenEntry = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z0-9._-]{1,64}$" }),
    sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    tenants: Type.Array(Type.Union([Type.Literal("*"), Type.String({ pattern: guid })]), { minItems: 1 }),
    /** Without: installer. */
    role: Type.Optional(Type.Union([Type.Literal("installer"), Type.Literal("operator")])),
    created: Type.String({ format: "date-time" }),
    expires: Type.Optional(Type.String({ format: "date-time" })),
  },
  { additionalProperties: false },
);
const tokensFile = Type.Object({ tokens: Type.Array(tokenEntry, { maxItems: 10_000 }) });
export type TokenEntry = Type.Static<typeof tokenEntry>;

const isTokensFile = Compile(tokensFile);

export type TokensRead =
  | { readonly ok: true; readonly tokens: readonly TokenEntry[] }
  | { readonly ok: false; readonly problem: Problem };

export function readTokens(path: string, text: string): TokensRead {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return malformed(path, "is not JSON");
  }
  if (!isTokensFile.Check(parsed)) {
    const [error] = isTokensFile.Errors(parsed);
    return malformed(path, `is not right at ${error?.instancePath || "/"}: ${error?.message ?? "unknown"}`);
  }
  const names = new Set<string>();
  const twice = parsed.tokens.map(({ name }) => name).find((name) => names.size === names.add(name).size);
  if (twice !== undefined) return malformed(path, `holds the name ${twice} twice`);
  const half = parsed.tokens.find(({ role, tenants }) => role === "operator" && !tenants.includes("*"));
  if (half !== undefined)
    return malformed(path, `gives the operator ${half.name} some tenants; an operator sees all: ["*"]`);
  return { ok: true, tokens: parsed.tokens };
}

export function tokensText(tokens: readonly TokenEntry[]): string {
  return `${JSON.stringify({ tokens }, null, 2)}\n`;
}

export function tokenHash(token: string): string {
  return hash("sha256", token, "hex");
}

function malformed(path: string, what: string): TokensRead {
  return {
    ok: false,
    problem: {
      code: "tokens-file",
      message: `TOKENS_FILE=${path} ${what}.`,
      fix: "Restore the file from a copy, or move it away and make new tokens: connector-registrar tokens create.",
    },
  };
}
