/** Where the service may listen: beyond this machine only with authentication, and only where tokens can't be read on their way. */
import type { Problem } from "../../problem.ts";
import { isLoopback } from "../http/origin-check.ts";

export interface Exposure {
  readonly host: string;
  /** Tokens, or Entra. */
  readonly asksWho: boolean;
  readonly hasTls: boolean;
  readonly behindProxy: boolean;
}

export function bindProblem({ host, asksWho, hasTls, behindProxy }: Exposure): Problem | null {
  if (isLoopback(host)) return null;
  if (!asksWho) {
    return {
      code: "serve-open",
      message: `SERVE_HOST=${host} reaches other machines, and nothing says who may enroll.`,
      fix: "Type: export TOKENS_FILE=<path> (tokens create makes tokens), or: export SERVE_ENTRA_AUDIENCE=<audience>, or, for this machine only: unset SERVE_HOST",
    };
  }
  if (hasTls || behindProxy) return null;
  return {
    code: "serve-plain",
    message: `SERVE_HOST=${host} reaches other machines, and tokens would travel unencrypted.`,
    fix: "Type: export SERVE_TLS_CERT_FILE=<path> SERVE_TLS_KEY_FILE=<path>, or, where a proxy in front ends TLS: export SERVE_BEHIND_PROXY=true",
  };
}
