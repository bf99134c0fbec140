/** What to type where a collector can't be sent to, for the addresses that are most often wrong. */
import { pageReason } from "./collector.ts";

const grpcPort = "4317";
const httpPort = "4318";
/** Of OpenSSL, by way of Node: whose certificate it is can't be told. */
const untrusted: ReadonlySet<string> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);
const tracesPath = "/v1/traces";

/** `reason`: as a `Sent` has it. Null: it says all that is known. */
export function adviceOf(url: string, reason: string): string | null {
  const { protocol, hostname, host, port, pathname } = new URL(url);
  if (reason.startsWith("HPE_") || port === grpcPort)
    return `Spans are sent by HTTP; port ${grpcPort} is mostly for gRPC. Type: export OTEL_EXPORTER_OTLP_ENDPOINT=${protocol}//${hostname}:${httpPort}`;
  if (reason === "EPROTO")
    return `${host} speaks no TLS that is understood here; without TLS the address begins with http://`;
  if (untrusted.has(reason))
    return "The authority of its certificate is not known here. Type: export OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem, the file with that authority's certificate";
  if (reason !== "HTTP 404" && reason !== "HTTP 405" && !reason.endsWith(pageReason)) return null;
  if (pathname.endsWith(tracesPath + tracesPath))
    return `${tracesPath} is added to OTEL_EXPORTER_OTLP_ENDPOINT: leave it out there`;
  if (!pathname.endsWith(tracesPath))
    return `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is, and mostly ends in ${tracesPath}`;
  if (port === httpPort) return null;
  return `OTLP over HTTP is mostly on port ${httpPort}. Type: export OTEL_EXPORTER_OTLP_ENDPOINT=${protocol}//${hostname}:${httpPort}`;
}
