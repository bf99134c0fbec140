/** CONNECT: the way through an HTTP proxy (RFC 9110, section 9.3.6). */
import type { Socket } from "node:net";
import { describeError } from "./connect-error.ts";
import type { ProxyServer } from "./proxy.ts";

/** Names the proxy, and what to type. No credentials. */
export class ProxyError extends Error {}

const headBytesMax = 16 * 1024;

/** Settles when the proxy has opened the way to `authority` (host:port); rejects when it did not. */
export function openTunnel(socket: Socket, proxy: ProxyServer, authority: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const settle = (error: Error | null): void => {
      socket.off("readable", read).off("error", fail).off("end", end).off("close", end);
      if (error === null) resolve();
      else reject(error);
    };
    const fail = (error: Error): void => settle(unreachable(proxy, authority, error));
    const end = (): void => fail(new Error("it closed the connection without an answer to CONNECT"));
    const read = (): void => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
        received = Buffer.concat([received, chunk]);
      }
      const headEnd = received.indexOf("\r\n\r\n");
      if (headEnd < 0) {
        if (received.length > headBytesMax) fail(new Error("its answer to CONNECT has no end"));
        return;
      }
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(received.toString("latin1", 0, 12))?.[1]);
      if (!(status >= 200 && status < 300)) settle(refused(proxy, authority, status));
      else if (received.length > headEnd + 4) fail(new Error("it sent more than an answer to CONNECT"));
      else settle(null);
    };
    socket.on("readable", read).on("error", fail).on("end", end).on("close", end);
    const authorization =
      proxy.authorization === null ? "" : `Proxy-Authorization: ${proxy.authorization}\r\n`;
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
  });
}

export function unreachable(proxy: ProxyServer, authority: string, error: Error): ProxyError {
  const { origin, variable } = proxy;
  return new ProxyError(
    `the proxy ${origin} gives no way to ${authority}: ${describeError(error)}; check ${variable}, or put the host of ${authority} into NO_PROXY`,
    { cause: error },
  );
}

function refused(
  { origin, variable, authorization }: ProxyServer,
  authority: string,
  status: number,
): ProxyError {
  const what = `the proxy ${origin} answers ${Number.isNaN(status) ? "no HTTP" : status} to CONNECT ${authority}`;
  return new ProxyError(
    `${what}; ${remedy(status, { variable, hasUser: authorization !== null, authority })}`,
  );
}

function remedy(
  status: number,
  {
    variable,
    hasUser,
    authority,
  }: { readonly variable: string; readonly hasUser: boolean; readonly authority: string },
): string {
  // By the standard 407; tinyproxy says 401 to a wrong password.
  if (status === 407 || status === 401) {
    return hasUser
      ? `it refuses the user and password in ${variable}: correct them`
      : `it wants a user and password: set ${variable} to http://user:password@host:port`;
  }
  if (status === 403) return `allow ${authority} there, or put its host into NO_PROXY`;
  return `check that the proxy can reach ${authority}, or put its host into NO_PROXY`;
}
