/**
 * The target of a request in the absolute form, `GET http://host/path`, as clients send it to proxies and servers have to take it
 * (RFC 9112, 3.2.2): its host counts, and the Host header does not.
 */
import type { IncomingMessage } from "node:http";

const absolute = /^https?:\/\/([^/?#]*)([\s\S]*)$/i;

/** The same request, with its target as a path. */
export function withOriginForm(request: IncomingMessage): IncomingMessage {
  const { url = "" } = request;
  if (url.startsWith("/")) return request;
  const [, host, rest = ""] = absolute.exec(url) ?? [];
  if (host === undefined) return request;
  request.url = rest.startsWith("/") ? rest : `/${rest}`;
  request.headers.host = host;
  return request;
}
