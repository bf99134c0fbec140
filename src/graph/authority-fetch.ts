/** Reads from the authority without a token, as the Graph adapter reaches it: the same trusted authorities, the same proxy. */
import { createSecureContext } from "node:tls";
import { Agent, fetch } from "undici";
import type { Clock } from "../ports.ts";
import { trustedCertificates } from "./ca-file.ts";
import { createConnector } from "./connector.ts";
import { type Environment, proxyFor } from "./proxy.ts";

export interface AuthorityReader {
  readonly fetch: (
    url: string,
    options: { readonly headers: Headers; readonly signal: AbortSignal },
  ) => Promise<Response>;
  close(): Promise<void>;
}

const connectTimeoutMs = 5_000;

/** Throws when the CA file can't be read or a variable for a proxy is not a URL: the caller validates its settings first. */
export function openAuthorityReader(
  settings: {
    readonly authority: string;
    readonly caFile: string | null;
    readonly environment: Environment;
  },
  clock: Clock,
): AuthorityReader {
  const ca = trustedCertificates(settings.caFile);
  const secureContext = ca === null ? null : createSecureContext({ ca: [...ca] });
  const proxy = proxyFor(new URL(settings.authority), settings.environment);
  const connector = createConnector({ connectTimeoutMs, secureContext, proxy }, clock);
  const dispatcher = new Agent({ connect: connector.connect, connections: 1 });
  return {
    async fetch(url, { headers, signal }) {
      const answer = await fetch(url, { headers: [...headers], signal, redirect: "error", dispatcher });
      return new Response(await answer.text(), { status: answer.status });
    },
    async close() {
      await dispatcher.destroy();
      connector.close();
    },
  };
}
