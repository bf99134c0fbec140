/** A server of raw bytes, for answers that no HTTP server of good manners would give. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly socket: Socket;
}

export interface WireServer {
  readonly url: string;
  /** All requests that arrived in full, in order. */
  readonly requests: WireRequest[];
  /** Connections opened, and those of them closed by now. */
  readonly connections: { opened: number; closed: number };
  close(): Promise<void>;
}

/** `answer` writes what it likes to the request's socket. */
export async function startWireServer(
  answer: (request: WireRequest, index: number) => void,
): Promise<WireServer> {
  const requests: WireRequest[] = [];
  const connections = { opened: 0, closed: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections.opened++;
    sockets.add(socket);
    let received = "";
    socket.on("error", () => {});
    socket.on("close", () => {
      connections.closed++;
      sockets.delete(socket);
    });
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      received += chunk;
      for (let parsed = parse(received, socket); parsed !== null; parsed = parse(received, socket)) {
        received = received.slice(parsed.length);
        requests.push(parsed.request);
        answer(parsed.request, requests.length - 1);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A whole, well-formed answer. */
export function reply(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const lines = Object.entries({ "content-type": "application/json", ...headers }).map(
    ([k, v]) => `${k}: ${v}`,
  );
  return `HTTP/1.1 ${status} X\r\n${lines.join("\r\n")}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

function parse(received: string, socket: Socket): { request: WireRequest; length: number } | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [start = "", ...lines] = received.slice(0, headEnd).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
  const length = headEnd + 4 + Number(headers["content-length"] ?? 0);
  if (received.length < length) return null;
  const [method = "", target = ""] = start.split(" ");
  const body = Buffer.from(received.slice(headEnd + 4, length), "latin1").toString("utf8");
  return { request: { method, target, headers, body, socket }, length };
}
