/**
 * Where an authority's token endpoints are. The library asks for it before each tenant's first token, unless the authority is
 * one of Microsoft's own, of which it knows it. All tenants of an authority look alike but for their id: so the first answer
 * is remembered, and stands for the other tenants. Whether a tenant exists, the token endpoint says just as well.
 *
 * 1. One asks, and the others wait for its answer: a worker that starts asks for the tokens of many tenants at the same time.
 *    If it fails, the next one asks.
 * 2. What a proxy or portal answers in the authority's place, with 200 and the address that was asked for, is not remembered: it would
 *    keep all tenants without a token for a day.
 */
import type { Clock } from "../../ports.ts";
import { isObject, parseJson } from "../answer.ts";

export interface Discovery {
  /** The document of the tenant that the URL names, or the turn to ask the authority for it. */
  find(url: URL, signal: AbortSignal): Promise<{ readonly document: string } | Turn>;
}

export interface Turn {
  readonly document: null;
  /** What was answered; null: nothing that can be used. Has to be called. */
  end(document: string | null): void;
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
  /** By origin: over when who asks there has its answer. */
  const asked = new Map<string, Promise<void>>();
  /** Origins whose document of one tenant says nothing of others. */
  const unlike = new Set<string>();

  return {
    async find(url, signal) {
      const { origin } = url;
      const tenantId = tenantIn(url);
      if (tenantId === null) return { document: null, end: () => {} };
      for (;;) {
        const document = known(origin, tenantId);
        if (document !== null) return { document };
        const underWay = asked.get(origin);
        if (underWay === undefined || unlike.has(origin) || signal.aborted) return turn(origin, tenantId);
        await untilAborted(underWay, signal); // 1
      }
    },
  };

  function known(origin: string, tenantId: string): string | null {
    if (learned === null || learned.origin !== origin || clock.nowMs() >= learned.untilMs) return null;
    return learned.parts.join(tenantId);
  }

  function turn(origin: string, tenantId: string): Turn {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!asked.has(origin)) asked.set(origin, promise);
    return {
      document: null,
      end(document) {
        if (document !== null) learn(origin, tenantId, document);
        if (asked.get(origin) === promise) asked.delete(origin);
        resolve();
      },
    };
  }

  function learn(origin: string, tenantId: string, document: string): void {
    if (!isDocument(document)) return; // 2
    const parts = document.length > maxLength ? [] : document.split(new RegExp(tenantId, "gi"));
    if (parts.length < 2) unlike.add(origin);
    else learned = { origin, parts, untilMs: clock.nowMs() + lifeMs };
  }
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  signal.addEventListener("abort", abort);
  await Promise.race([promise, aborted]);
  signal.removeEventListener("abort", abort);
}

function isDocument(text: string): boolean {
  const document = parseJson(text);
  return isObject(document) && typeof document.issuer === "string";
}

/** Null: another address, or a tenant that is not named by its id. */
function tenantIn({ pathname }: URL): string | null {
  return documentPath.exec(pathname)?.[1] ?? null;
}
