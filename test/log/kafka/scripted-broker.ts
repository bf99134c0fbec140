/** A broker on the loopback address that records each request and answers by a script. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { ByteReader, ByteWriter } from "../../../src/log/kafka/cluster/bytes.ts";

export interface RecordedRequest {
  /** Which of the connections to this broker, in the order in which they were opened. */
  readonly connection: number;
  readonly key: number;
  readonly version: number;
  readonly clientId: string | null;
  readonly body: Buffer;
}

/** The body of an answer; "close": the connection is ended instead; null: no answer. `unframed`: these bytes, as they are. */
export type Answer = Buffer | "close" | { readonly unframed: Buffer } | null;

export interface ScriptedBroker {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly requests: readonly RecordedRequest[];
  answer: (request: RecordedRequest) => Answer;
  /** The next request with this key. */
  arrival(key: number): Promise<RecordedRequest>;
  stop(): Promise<void>;
}

const apiVersionsKey = 18;

export async function startScriptedBroker(): Promise<ScriptedBroker> {
  const requests: RecordedRequest[] = [];
  const waiting = new Set<{ key: number; resolve: (request: RecordedRequest) => void }>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    eachFrame(socket, (frame) => {
      const [key, version, correlationId, clientId] = [
        frame.int16(),
        frame.int16(),
        frame.int32(),
        frame.string(),
      ];
      const request = { connection, key, version, clientId, body: frame.raw(frame.left) };
      requests.push(request);
      const answer = broker.answer(request);
      if (answer === "close") socket.end();
      else if (answer !== null && "unframed" in answer) socket.write(answer.unframed);
      else if (answer !== null) socket.write(framed(correlationId, answer));
      for (const one of waiting) {
        if (one.key !== key) continue;
        waiting.delete(one);
        one.resolve(request);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const broker: ScriptedBroker = {
    host: "127.0.0.1",
    port,
    address: `127.0.0.1:${port}`,
    requests,
    answer: ({ key }) => (key === apiVersionsKey ? apiVersions() : null),
    arrival: (key) => new Promise((resolve) => waiting.add({ key, resolve })),
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return broker;
}

/** ApiVersions 0 to 2: all requests, all versions, but those named. */
export function apiVersions(without: readonly number[] = []): Buffer {
  const keys = Array.from({ length: 51 }, (_, key) => key).filter((key) => !without.includes(key));
  const body = new ByteWriter().int16(0).int32(keys.length);
  for (const key of keys) body.int16(key).int16(0).int16(99);
  return body.int32(0).bytes;
}

function eachFrame(socket: Socket, onFrame: (frame: ByteReader) => void): void {
  let received = Buffer.of();
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const end = 4 + received.readInt32BE(0);
      onFrame(new ByteReader(received.subarray(4, end)));
      received = received.subarray(end);
    }
  });
}

function framed(correlationId: number, body: Buffer): Buffer {
  return new ByteWriter()
    .int32(body.length + 4)
    .int32(correlationId)
    .raw(body).bytes;
}
