/** Connections as the settings want them: through the proxy that the variables name for a target, and with what is trusted. */
import { createSecureContext } from "node:tls";
import type { Clock } from "../ports.ts";
import { trustedCertificates } from "./ca-file.ts";
import { type Connector, createConnector } from "./connector.ts";
import { type Environment, proxyFor } from "./proxy.ts";

export interface ConnectorsSettings {
  /** PEM file of a CA to trust beside the usual ones. */
  readonly caFile: string | null;
  /** Names proxies, in the usual variables. */
  readonly environment: Environment;
  readonly connectTimeoutMs: number;
}

/** Throws when the CA file can't be read; the result, when a variable for a proxy is not a URL. */
export function connectorsFor(
  { caFile, environment, connectTimeoutMs }: ConnectorsSettings,
  clock: Clock,
): (target: URL) => Connector {
  const ca = trustedCertificates(caFile);
  const secureContext = ca === null ? null : createSecureContext({ ca: [...ca] });
  return (target) => {
    const proxy = proxyFor(target, environment);
    return createConnector({ connectTimeoutMs, secureContext, proxy }, clock);
  };
}
