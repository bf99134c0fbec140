/**
 * Where an authority's token endpoints are. The library asks for it before each tenant's first token, unless the authority is
 * one of Microsoft's own, of which it knows it. All tenants of an authority look alike but for their id: so the first answer
 * is remembered, and stands for the other tenants. Whether a tenant exists, the token endpoint says just as well.
 */
import type { Clock } from "../../ports.ts";

export interface Discovery {
  /** The document of the tenant that the URL names; null: ask the authority. */
  known(url: URL): string | null;
  learn(url: URL, document: string): void;
}

const documentPath =
  /^\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\/v2\.0\/\.well-known\/openid-configuration$/i;
/** As long as the library keeps one. */
const lifeMs = 24 * 3_600_000;
const maxLength = 65_536;

export function createDiscovery(clock: Clock): Discovery {
  /** The document, cut where it names its tenant. */
  let learned: {
    readonly origin: string;
    readonly parts: readonly string[];
    readonly untilMs: number;
  } | null = null;
  return {
    known(url) {
      const tenantId = tenantIn(url);
      if (learned === null || tenantId === null) return null;
      if (learned.origin !== url.origin || clock.nowMs() >= learned.untilMs) return null;
      return learned.parts.join(tenantId);
    },
    learn(url, document) {
      const tenantId = tenantIn(url);
      if (tenantId === null || document.length > maxLength) return;
      const parts = document.split(new RegExp(tenantId, "gi"));
      if (parts.length < 2) return;
      learned = { origin: url.origin, parts, untilMs: clock.nowMs() + lifeMs };
    },
  };
}

/** Null: another address, or a tenant that is not named by its id. */
function tenantIn({ pathname }: URL): string | null {
  return documentPath.exec(pathname)?.[1] ?? null;
}
