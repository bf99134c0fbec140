/** Messages of Kafka's protocol out of a stream of bytes, and into one. */
import type { Socket } from "node:net";

/** Calls back for each message, without its length. */
export function eachFrame(socket: Socket, onFrame: (frame: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let held = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    held += chunk.length;
    for (;;) {
      if (held < 4) return;
      if (chunks[0]!.length < 4) chunks = [Buffer.concat(chunks)];
      const size = chunks[0]!.readInt32BE(0);
      if (held < size + 4) return;
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      const rest = all.subarray(size + 4);
      chunks = rest.length === 0 ? [] : [rest];
      held = rest.length;
      onFrame(all.subarray(4, size + 4));
    }
  });
}

export function sendFrame(socket: Socket, frame: Buffer): void {
  if (!socket.writable) return;
  const size = Buffer.alloc(4);
  size.writeInt32BE(frame.length);
  socket.write(Buffer.concat([size, frame]));
}
