/**
 * Opens the connections to Graph: TCP, perhaps through a proxy, perhaps TLS.
 *
 * Invariants
 * 1. A connection that is given up is always reset (RST), at the TCP socket, below TLS. After a close the kernel could keep
 *    sending buffered data for minutes, so that a request arrived that was given up long ago; a reset drops the data.
 *    TLS is always ended first, and ends what is below it: a TCP socket that is reset under it crashes the process.
 * 2. So does the process where it ends without `close`, unless it is killed.
 * 3. No connection is still being made once the connect time-out has passed.
 */
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import type { Clock } from "../ports.ts";
import type { ProxyServer } from "./proxy.ts";
import { openTunnel, unreachable } from "./tunnel.ts";

export interface ConnectorSettings {
  readonly connectTimeoutMs: number;
  /** Null: the process's own. */
  readonly secureContext: SecureContext | null;
  readonly proxy: ProxyServer | null;
}

export interface Connector {
  readonly connect: buildConnector.connector;
  /** Resets every connection, and ends those that are being made. */
  close(): void;
}

interface Target {
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
}

const keepAliveMs = 60_000;

export function createConnector(settings: ConnectorSettings, clock: Clock): Connector {
  const { connectTimeoutMs, proxy } = settings;
  /** The top layer on each TCP socket: the socket itself, or TLS. */
  const open = new Map<Socket, Socket>();
  const sessions: Sessions = { last: undefined };

  const connect: buildConnector.connector = ({ hostname, port, protocol }, callback) => {
    const secure = protocol === "https:";
    const target = { hostname, port: Number(port || (secure ? 443 : 80)), secure };
    const { hostname: host, port: tcpPort } = proxy ?? target;
    const raw = connectTcp({
      host,
      port: tcpPort,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
      allowHalfOpen: true,
    });
    const rise = (socket: Socket) => void open.set(raw, socket);
    const top = () => open.get(raw) ?? raw;
    const giveUp = (error?: Error) => void top().destroy(error);
    rise(resetWhenDestroyed(raw, () => top().writableEnded));
    raw.on("error", ignore).once("close", () => open.delete(raw));
    const cancel = clock.after(connectTimeoutMs, () => {
      giveUp(new Error(`no connection to ${host}:${tcpPort} within ${connectTimeoutMs} ms`)); // 3
    });
    dial(raw, target, { settings, sessions, rise })
      .finally(cancel)
      .then(
        (socket) => callback(null, socket),
        (error) => {
          giveUp();
          callback(error, null);
        },
      );
  };

  const resetAll = (): void => open.forEach((socket) => void socket.destroy());
  atExit(resetAll); // 2
  return {
    connect,
    close: () => {
      notAtExit(resetAll);
      resetAll();
    },
  };
}

/** One listener for all connectors: Node warns of many. */
const exitTasks = new Set<() => void>();
const runExitTasks = (): void => exitTasks.forEach((task) => void task());

function atExit(task: () => void): void {
  if (exitTasks.size === 0) process.once("exit", runExitTasks);
  exitTasks.add(task);
}

function notAtExit(task: () => void): void {
  exitTasks.delete(task);
  if (exitTasks.size === 0) process.off("exit", runExitTasks);
}

/** @param rise called with each socket that is put on top of the last. */
async function dial(
  raw: Socket,
  target: Target,
  {
    settings,
    sessions,
    rise,
  }: {
    readonly settings: ConnectorSettings;
    readonly sessions: Sessions;
    readonly rise: (socket: Socket) => void;
  },
): Promise<Socket> {
  const { proxy, secureContext } = settings;
  if (proxy === null) {
    await once(raw, "connect");
    return target.secure ? secured(raw, target.hostname, { secureContext, sessions, rise }) : raw;
  }
  const authority = `${isIP(target.hostname) === 6 ? `[${target.hostname}]` : target.hostname}:${target.port}`;
  let socket = raw;
  try {
    await once(raw, "connect");
    if (proxy.secure)
      socket = await secured(raw, proxy.hostname, { secureContext, sessions: { last: undefined }, rise });
  } catch (error) {
    throw unreachable(proxy, authority, error as Error);
  }
  // A proxy takes requests for http:// as they are, with the whole URL.
  if (!target.secure) return socket;
  await openTunnel(socket, proxy, authority);
  return secured(socket, target.hostname, { secureContext, sessions, rise });
}

/** The last TLS session, for the next connection to take up. */
interface Sessions {
  last: Buffer | undefined;
}

async function secured(
  socket: Socket,
  hostname: string,
  {
    secureContext,
    sessions,
    rise,
  }: {
    readonly secureContext: SecureContext | null;
    readonly sessions: Sessions;
    readonly rise: (socket: Socket) => void;
  },
): Promise<TLSSocket> {
  const secure = connectTls({
    socket,
    host: hostname,
    servername: isIP(hostname) === 0 ? hostname : "",
    ALPNProtocols: ["http/1.1"],
    ...(secureContext === null ? {} : { secureContext }),
    ...(sessions.last === undefined ? {} : { session: sessions.last }),
  });
  rise(secure);
  secure.on("error", ignore).on("session", (session) => {
    sessions.last = session;
  });
  await once(secure, "secureConnect");
  return secure;
}

/**
 * A connection is ended by `destroy`: undici in many places, TLS that of the socket below it. There the reset is
 * put in. A connection that is being ended in order can't be reset any more, and would stay open; so sockets are made with
 * allowHalfOpen (TLS takes it over), since otherwise Node answers the peer's end with one of its own.
 */
function resetWhenDestroyed(raw: Socket, isEnding: () => boolean): Socket {
  const { destroy } = raw;
  raw.destroy = (error) => {
    raw.destroy = destroy; // The reset calls it.
    if (raw.connecting || raw.destroyed || isEnding()) return raw.destroy(error);
    raw.resetAndDestroy(); // 1
    // The reset has destroyed it already, without the reason.
    if (error !== undefined) process.nextTick(() => raw.emit("error", error));
    return raw;
  };
  return raw;
}

function ignore(): void {}
