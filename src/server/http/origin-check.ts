/**
 * What a browser could be made to do by a page of another site. A service that asks for no token is safe only as long as
 * no page reaches it: not under a name of the page's own (DNS rebinding), and not from the page's own origin.
 */
import { type Failure, failures } from "./problem.ts";

export interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly "sec-fetch-site"?: string | undefined;
}

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
const friendlySites = ["same-origin", "none"];

/** `open`: no token is asked for. Reading from elsewhere shows a page nothing (no CORS), so only what changes something counts. */
export function originFailure(headers: OriginHeaders, method: string, open: boolean): Failure | null {
  if (open && !loopbackHost.test(headers.host ?? "")) return failures.otherHost();
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return null;
  const site = headers["sec-fetch-site"];
  // Where the browser says it, its word counts more than Origin, which a proxy that changes Host makes look foreign.
  if (site !== undefined) return friendlySites.includes(site) ? null : failures.crossSite();
  if (headers.origin !== undefined && !isSameOrigin(headers.origin, headers.host ?? ""))
    return failures.crossSite();
  return null;
}

function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

export function isLoopback(host: string): boolean {
  return loopbackHost.test(host.includes(":") ? `[${host}]` : host);
}
