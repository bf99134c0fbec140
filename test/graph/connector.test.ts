import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createSecureContext, createServer } from "node:tls";
import { generate } from "selfsigned";
import { Client } from "undici";
import { systemClock } from "../../src/clock.ts";
import { createConnector } from "../../src/graph/connector.ts";

/** What servers do to a request that is then given up. */
const manners = ["silent", "trickling", "ending", "vanishing"] as const;
const rounds = 8;
const atOnce = 25;

// A TCP socket that was reset beneath TLS ended the process by SIGSEGV, by the tenth connection or so.
test("many TLS connections given up, whatever the server does then: each is reset, and the process lives", {
  timeout: 60_000,
}, async (t) => {
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
  });
  let connections = 0;
  let resets = 0;
  const server = createServer({ key, cert }, (socket) => {
    const manner = manners[connections++ % manners.length]!;
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET") resets++;
    });
    socket.once("data", () => {
      if (manner === "ending") socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nxx");
      if (manner === "vanishing") socket.destroy();
      if (manner !== "trickling") return;
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
      const more = () => void (socket.writable && socket.write("x".repeat(20_000), () => setImmediate(more)));
      more();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const secureContext = createSecureContext({ ca: cert });
  const connector = createConnector({ connectTimeoutMs: 20_000, secureContext, proxy: null }, systemClock);
  t.after(() => {
    connector.close();
    server.close();
  });
  const giveUpOne = async (index: number) => {
    const client = new Client(`https://localhost:${address.port}`, { connect: connector.connect });
    const signal = AbortSignal.timeout(100 + index * 10);
    const sent = client.request({ path: "/", method: "POST", body: "a request", signal });
    await sent.then(({ body }) => body.text()).catch(() => {});
    await client.destroy();
  };
  for (let round = 0; round < rounds; round++) {
    await Promise.all(Array.from({ length: atOnce }, (_, index) => giveUpOne(index)));
  }
  assert.ok(connections > 0 && resets > 0, `${resets} resets of ${connections} connections`);
});
