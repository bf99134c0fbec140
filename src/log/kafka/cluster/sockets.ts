/**
 * The TCP connections below kafkajs.
 *
 * Invariants
 * 1. A connection that is ended from this side is always reset (RST), at the TCP socket, below TLS. After a close the kernel
 *    could keep sending buffered data for minutes, so that a request arrived that was given up long ago.
 * 2. A process that ends without a close resets its connections too, unless it is killed.
 */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory } from "kafkajs";
import { withoutBrackets } from "./addresses.ts";
import { plainTextOnTlsPort } from "./errors.ts";

export interface Sockets {
  readonly factory: ISocketFactory;
  /** Resets all of them, and every one that is opened later. */
  close(): void;
}

const keepAliveMs = 60_000;
/** How to close each that isn't closed yet. */
const living = new Set<() => void>();
let hooked = false;

export function openSockets(): Sockets {
  const open = new Set<() => void>();
  let closed = false;
  const close = () => {
    closed = true;
    living.delete(close);
    for (const reset of [...open]) reset();
  };
  living.add(close);
  closeAtExit();
  return {
    factory({ host: named, port, ssl, onConnect }) {
      const host = withoutBrackets(named);
      const raw = connectTcp({
        host,
        port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: keepAliveMs,
      });
      const socket = ssl
        ? connectTls({ socket: raw, host, ...(isIP(host) ? {} : { servername: host }), ...ssl })
        : raw;
      socket.once(ssl ? "secureConnect" : "connect", onConnect);
      if (ssl) raw.on("error", () => {});
      else failOnTlsAlert(raw);
      const reset = () => resetWith(raw, socket, new Error("the connection was closed"));
      // How kafkajs lets go of a connection. 1
      socket.end = () => {
        reset();
        return socket;
      };
      open.add(reset);
      raw.once("close", () => open.delete(reset));
      if (closed) reset();
      return socket;
    },
    close,
  };
}

/** 2. One listener for all. */
function closeAtExit(): void {
  if (hooked) return;
  hooked = true;
  process.once("exit", () => {
    for (const close of [...living]) close();
  });
}

/** `socket`: what kafkajs uses, which is `raw` or TLS over it. The end is reported to it as an error. */
function resetWith(raw: Socket, socket: Socket, error: Error): void {
  if (raw.destroyed) return;
  if (socket === raw) {
    reset(raw, socket);
    process.nextTick(() => socket.emit("error", error));
    return;
  }
  // TLS goes first and ends what is below it: a socket that is reset under it crashes the process.
  const { destroy } = raw;
  raw.destroy = () => {
    raw.destroy = destroy; // The reset calls it.
    reset(raw, socket);
    return raw;
  };
  socket.destroy(error);
}

/**
 * Nothing was written to one that is not open yet. One that is being ended in order (the peer ended it first, and Node
 * answers that by itself) can't be reset any more, and would never close.
 */
function reset(raw: Socket, socket: Socket): void {
  if (raw.connecting || raw.writableEnded || socket.writableEnded) raw.destroy();
  else raw.resetAndDestroy();
}

/** A TLS port answers plain text with a TLS alert; kafkajs would read it as the length of a long answer. */
function failOnTlsAlert(socket: Socket): void {
  socket.once("data", (bytes) => {
    if (bytes[0] !== 0x15 || bytes[1] !== 0x03) return;
    socket.destroy(Object.assign(new Error("this port speaks TLS"), { code: plainTextOnTlsPort }));
  });
}
