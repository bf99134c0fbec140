/** A broker that records what reaches it, on a host of its own: one topic of one partition, and all is acknowledged. */
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { ByteReader, ByteWriter } from "../../../../src/log/kafka/cluster/bytes.ts";

const { host, tls } = JSON.parse(process.argv[2]!) as {
  host: string;
  tls: { key: string; cert: string } | null;
};

export const topic = "connector.enrolled";
/** Bodies of the requests that change something: Produce and OffsetCommit. */
const changes: string[] = [];
const [produce, offsetCommit] = [0, 8];
let port = 0;

const serve = (socket: Socket) => {
  let received = Buffer.of();
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const frame = new ByteReader(received.subarray(4, 4 + received.readInt32BE(0)));
      received = received.subarray(4 + received.readInt32BE(0));
      const key = frame.int16();
      frame.int16();
      const correlationId = frame.int32();
      if (key === produce || key === offsetCommit) changes.push(frame.buffer.toString("latin1"));
      const body = answers[key]!(new ByteWriter());
      socket.write(
        new ByteWriter()
          .int32(body.length + 4)
          .int32(correlationId)
          .raw(body.bytes).bytes,
      );
    }
  });
};

const versions: readonly (readonly [key: number, highest: number])[] = [
  [produce, 7],
  [1, 4],
  [3, 4],
  [offsetCommit, 2],
  [10, 0],
  [18, 2],
  [22, 0],
];

const answers: Readonly<Record<number, (body: ByteWriter) => ByteWriter>> = {
  [produce]: (body) =>
    body.int32(1).string(topic).int32(1).int32(0).int16(0).int64(0).int64(-1).int64(0).int32(0),
  3: (body) => {
    body.int32(0).int32(1).int32(1).string(host).int32(port).string(null).string(null).int32(1);
    body.int32(1).int16(0).string(topic).int8(0);
    return body.int32(1).int16(0).int32(0).int32(1).int32(1).int32(1).int32(1).int32(1);
  },
  [offsetCommit]: (body) => body.int32(1).string(topic).int32(1).int32(0).int16(0),
  10: (body) => body.int16(0).int32(1).string(host).int32(port),
  18: (body) => {
    body.int16(0).int32(versions.length);
    for (const [key, highest] of versions) body.int16(key).int16(0).int16(highest);
    return body.int32(0);
  },
  22: (body) => body.int32(0).int16(0).int64(7).int16(0),
};

const server = tls === null ? createServer(serve) : createTlsServer(tls, serve);
server.listen(0, host, () => {
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
  process.send!({ port });
});
process.on("message", () => process.send!({ changes }));
process.once("disconnect", () => process.exit());
