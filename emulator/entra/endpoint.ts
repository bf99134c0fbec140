/** Which of Entra's and of the machine's token addresses a request is for. */

import type { IncomingMessage } from "node:http";
import { header, originOf } from "../exchange.ts";
import { type EntraSettings, grantToken, openidConfiguration } from "./grant.ts";
import { appServicePath, identityToken, imdsPath } from "./identity.ts";
import type { EntraCall, EntraReply } from "./refusal.ts";

const entraPath =
  /^\/([^/]+)\/(?:(v2\.0\/\.well-known\/openid-configuration)|(discovery\/v2\.0\/keys)|oauth2\/v2\.0\/token)$/;

/** Null: nothing is at this address. `text`: the request's body. */
export function entraReply(
  entra: EntraSettings,
  call: EntraCall,
  { request, text }: { readonly request: IncomingMessage; readonly text: string },
): EntraReply | Promise<EntraReply> | null {
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const identityPath = [imdsPath, appServicePath].find((each) => each === path.replace(/\/$/, ""));
  if (identityPath !== undefined) {
    return identityToken(entra, call.wallMs, {
      path: identityPath as typeof imdsPath,
      query: new URLSearchParams(query),
      metadata: header(request, "metadata"),
      identityHeader: header(request, "x-identity-header"),
    });
  }
  const [, tenantId, configuration, keys] = entraPath.exec(path) ?? [];
  if (tenantId === undefined) return null;
  const origin = originOf(request);
  if (configuration !== undefined) return openidConfiguration(entra, call, { tenantId, origin });
  if (keys !== undefined) return publicKeys(entra);
  return grantToken(entra, call, { tenantId, form: new URLSearchParams(text), origin });
}

async function publicKeys({ identityKeys }: EntraSettings): Promise<EntraReply> {
  return { status: 200, body: { keys: [(await identityKeys()).publicJwk] } };
}
