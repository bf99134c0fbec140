/** A small HTTP proxy of the test's own. Every name leads to the same port of this machine. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";

export interface ConnectProxy {
  readonly port: number;
  /** Heads of the requests that it got, in order. */
  readonly heads: string[];
  /** How its clients' connections ended: "end", or the error's code. */
  readonly ends: string[];
  close(): Promise<void>;
}

/** `answer`: to CONNECT; 200 opens the way to `toPort`. `secure`: TLS towards its clients. */
export async function startConnectProxy(
  toPort: number,
  answer = "200 OK",
  secure: { key: string; cert: string } | null = null,
): Promise<ConnectProxy> {
  const heads: string[] = [];
  const ends: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (client: Socket): void => {
    sockets.add(client);
    let how = "end";
    client
      .on("error", (error) => {
        how = (error as NodeJS.ErrnoException).code ?? "error";
      })
      .on("close", () => ends.push(how));
    client.once("data", (chunk: Buffer) => {
      heads.push(chunk.toString("latin1").split("\r\n\r\n")[0]!);
      const isConnect = heads.at(-1)!.startsWith("CONNECT ");
      if (isConnect) client.write(`HTTP/1.1 ${answer}\r\nproxy-agent: test\r\n\r\n`);
      if (isConnect && !answer.startsWith("200")) return;
      const server = connect(toPort, "127.0.0.1").on("error", () => client.destroy());
      // A pipe whose other end is gone reads no more, not even the end.
      sockets.add(server.on("close", () => client.resume()));
      if (!isConnect) server.write(chunk);
      client.pipe(server).pipe(client);
    });
  };
  const server: Server = secure === null ? createServer(serve) : createSecureServer(secure, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    ends,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
