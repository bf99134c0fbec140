/** How connections to Graph end, from either side. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createSecureContext, createServer as createSecureServer } from "node:tls";
import { makeCertificates } from "../../emulator/tls.ts";
import { createConnector } from "../../src/graph/connector.ts";
import { createManualClock } from "./manual-clock.ts";

/** A connection over the given scheme, and how its server saw it end. */
async function connected(
  context: TestContext,
  scheme: string,
  serve: (socket: Socket) => void = () => {},
): Promise<{ socket: Socket; end: Promise<string> }> {
  const certificates = await makeCertificates(null, [], Date.now());
  const { promise: end, resolve } = Promise.withResolvers<string>();
  const listener = (socket: Socket) => {
    let how = "closed";
    socket
      .on("error", (error) => {
        how = (error as NodeJS.ErrnoException).code ?? error.message;
      })
      .on("close", () => resolve(how));
    serve(socket.resume());
  };
  const server: Server =
    scheme === "https:" ? createSecureServer(certificates, listener) : createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const secureContext = createSecureContext({ ca: certificates.caPem });
  const connector = createConnector(
    { connectTimeoutMs: 1_000, secureContext, proxy: null },
    createManualClock(),
  );
  context.after(async () => {
    connector.close();
    server.close();
    await certificates.remove();
  });
  const port = String((server.address() as AddressInfo).port);
  const socket = await new Promise<Socket>((settle, reject) => {
    connector.connect({ hostname: "127.0.0.1", protocol: scheme, port }, (...[error, opened]) =>
      error === null ? settle(opened!) : reject(error),
    );
  });
  socket.on("error", () => {});
  return { socket, end };
}

for (const scheme of ["http:", "https:"]) {
  test(`${scheme} what is destroyed is reset, and closes after the call, not within it`, async (context) => {
    const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
    const { socket, end } = await connected(context, scheme, (peer) => peer.once("data", () => read()));
    let isClosed = false;
    const closed = new Promise<void>((resolve) => {
      socket.on("close", () => {
        isClosed = true;
        resolve();
      });
    });
    socket.write("half a request");
    await isRead;
    socket.destroy(new Error("given up"));
    assert.deepEqual([socket.destroyed, isClosed], [true, false]);
    await closed;
    // A TLS server of Node's does not always say how it ended; abandoned-post.test.ts shows it on the wire.
    if (scheme === "http:") assert.equal(await end, "ECONNRESET");
  });

  test(`${scheme} so is what the peer ended first`, async (context) => {
    const { socket } = await connected(context, scheme, (peer) => peer.end("bye"));
    socket.resume();
    await once(socket, "end");
    const closed = once(socket, "close");
    socket.destroy();
    await closed;
  });

  test(`${scheme} what is being ended in order closes, also when it is destroyed meanwhile`, async (context) => {
    const { socket } = await connected(context, scheme);
    const closed = once(socket, "close");
    socket.end("a whole request");
    socket.destroy();
    await closed;
  });
}
