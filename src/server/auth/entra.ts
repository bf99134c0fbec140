/**
 * Access tokens of Entra: an application of a tenant enrolls for that tenant.
 *
 * 1. The signature is checked with the authority's keys (jose), by RS256 alone; issuer, audience and times too.
 * 2. An audience proves nothing about who asks: any application of any tenant gets a token for it. So the application
 *    must hold a role, which an administrator of its tenant assigned.
 * 3. The tenant is the token's `tid`, and the issuer must be that tenant's.
 * 4. A token that was found good is not checked twice, for a minute at the most.
 */
import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, jwtVerify } from "jose";
import type { Clock } from "../../ports.ts";
import { type Failure, failures } from "../http/problem.ts";
import type { Principal } from "./principal.ts";
import { tokenHash } from "./tokens-file.ts";

export interface EntraSettings {
  /** https://login.microsoftonline.com */
  readonly authorityHost: string;
  readonly audience: string;
  readonly role: string;
  /** Asks for the keys; the system's own unless it is given. */
  readonly fetch?: FetchImplementation;
}

export type EntraVerdict =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly failure: Failure };

const guid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const rememberedMs = 60_000;
const rememberedMax = 10_000;

export function openEntra(settings: EntraSettings, clock: Pick<Clock, "nowMs" | "wallMs">) {
  const keys = createRemoteJWKSet(new URL(`${settings.authorityHost}/common/discovery/v2.0/keys`), {
    timeoutDuration: 5_000,
    cooldownDuration: 30_000,
    ...(settings.fetch === undefined ? {} : { [customFetch]: settings.fetch }),
  });
  const remembered = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();

  async function verify(token: string): Promise<EntraVerdict> {
    const hash = tokenHash(token);
    const found = remembered.get(hash);
    if (found !== undefined && found.untilMs > clock.nowMs()) return { ok: true, principal: found.principal };
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ["RS256"],
        audience: settings.audience,
        requiredClaims: ["exp", "iss", "tid"],
        clockTolerance: 60,
        currentDate: new Date(clock.wallMs()),
      });
      const tenantId = String(payload.tid).toLowerCase();
      if (!guid.test(tenantId) || !issuersOf(tenantId, settings.authorityHost).includes(payload.iss ?? ""))
        return { ok: false, failure: failures.tokenUnknown() };
      const roles = Array.isArray(payload.roles) ? payload.roles : [];
      if (!roles.includes(settings.role)) return { ok: false, failure: failures.roleMissing(settings.role) };
      const principal: Principal = {
        name: `entra:${tenantId}`,
        tenants: new Set([tenantId]),
        role: "installer",
      };
      const lifeMs = Math.min(rememberedMs, (payload.exp ?? 0) * 1_000 - clock.wallMs());
      if (remembered.size >= rememberedMax) remembered.clear();
      remembered.set(hash, { principal, untilMs: clock.nowMs() + lifeMs });
      return { ok: true, principal };
    } catch (error) {
      return {
        ok: false,
        failure: isTrouble(error) ? failures.tokensUnavailable() : failures.tokenUnknown(),
      };
    }
  }
  return { verify };
}

/** Of both versions of access tokens; the version is the resource's choice. */
function issuersOf(tenantId: string, authorityHost: string): string[] {
  return [`${authorityHost}/${tenantId}/v2.0`, `https://sts.windows.net/${tenantId}/`];
}

/** The authority did not answer: that says nothing about the token. */
function isTrouble(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  if (error instanceof errors.JOSEError) return error.code === "ERR_JOSE_GENERIC";
  return true;
}
