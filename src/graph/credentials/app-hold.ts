/**
 * While an application's own credential is refused, all of its tenants get that answer immediately; one of them asks again, at
 * most once per hold time. So an expired certificate causes one refusal, not one for each of hundreds of tenants.
 *
 * 1. Only a token ends it. A tenant's own refusal, or no answer, proves nothing: the
 *    authority may look at the tenant before it looks at the credential.
 * 2. The next one may then ask immediately, so that no single tenant keeps the others waiting.
 */
import type { Clock } from "../../ports.ts";
import type { TokenFailure, TokenSource } from "./token-cache.ts";

export function holdWhileRefused(source: TokenSource, holdMs: number, clock: Clock): TokenSource {
  let refusal: TokenFailure | null = null;
  let untilMs = 0;
  let isAsking = false;

  return async (tenantId, signal) => {
    if (refusal !== null && (isAsking || clock.nowMs() < untilMs)) return refusal;
    const asksForAll = refusal !== null;
    if (asksForAll) isAsking = true;
    const result = await source(tenantId, signal);
    if (asksForAll) isAsking = false;
    if (result.ok) {
      refusal = null; // 1
    } else if (result.reason === "application") {
      refusal = result;
      untilMs = clock.nowMs() + holdMs;
    }
    return result; // 2
  };
}
