/** A connection to the service that sends byte by byte, as no HTTP client would. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";

export async function connected(t: TestContext, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** All that the service sends until it closes the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  // Not `once`: a connection that is reset ends with an error first.
  if (!socket.closed) await new Promise((resolve) => socket.on("close", resolve));
  return text;
}
